// Which rules a filter leaves, and how many there are of each state.
import type { Rule, RuleGroup } from '../../api/rules';
import { matchesFilter } from '../../formatting/matchText';

function inState(rule: Rule, state: string): boolean {
  if (state === 'all') return true;
  if (state === 'err') return rule.health === 'err';
  return rule.type === 'alerting' && rule.state === state;
}

/** Groups with the rules that fit; groups without any are left out unless nothing is asked. */
export function chooseGroups(groups: readonly RuleGroup[], filter: string, state: string): RuleGroup[] {
  return groups
    .map((group) => ({
      ...group,
      rules: group.rules.filter((rule) => {
        const text = `${rule.name}\n${rule.query}\n${group.name}\n${group.file}`;
        return inState(rule, state) && matchesFilter(filter, rule.labels ?? {}, text);
      }),
    }))
    .filter((group) => group.rules.length > 0);
}

export function countRules(groups: readonly RuleGroup[]): {
  all: number;
  firing: number;
  pending: number;
  failing: number;
} {
  const rules = groups.flatMap((group) => group.rules);
  const count = (state: string): number => rules.filter((rule) => inState(rule, state)).length;
  return { all: rules.length, firing: count('firing'), pending: count('pending'), failing: count('err') };
}
