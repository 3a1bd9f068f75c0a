// Matchers of silences: made from labels, read from and written as text, tried against alerts.
import type { Matcher } from '../../api/alertmanager';
import { quoteValue, sortedPairs, type Labels } from '../../formatting/labels';
import { matchesWhole } from '../../formatting/matchText';

export type Operator = '=' | '!=' | '=~' | '!~';

export const OPERATORS: readonly Operator[] = ['=', '!=', '=~', '!~'];

export function operatorOf({ isEqual, isRegex }: Matcher): Operator {
  if (isRegex) return isEqual ? '=~' : '!~';
  return isEqual ? '=' : '!=';
}

export function withOperator(matcher: Matcher, operator: Operator): Matcher {
  return { ...matcher, isEqual: operator.startsWith('='), isRegex: operator.endsWith('~') };
}

/** One equality for each label: a silence for exactly this alert. */
export function matchersOf(labels: Labels): Matcher[] {
  return sortedPairs(labels).map(([name, value]) => ({ name, value, isEqual: true, isRegex: false }));
}

/** `alertname="X", job=~"a|b"`. */
export function formatMatchers(matchers: readonly Matcher[]): string {
  const name = (text: string): string => (PLAIN_NAME.test(text) ? text : quoteValue(text));
  return matchers.map((one) => `${name(one.name)}${operatorOf(one)}${quoteValue(one.value)}`).join(', ');
}

/** Whether every matcher has a label and one asks for a value: otherwise a silence would hold for everything. */
export function asksForSomething(matchers: readonly Matcher[]): boolean {
  const named = matchers.length > 0 && matchers.every((matcher) => matcher.name !== '');
  return named && matchers.some((matcher) => matcher.isEqual && matcher.value !== '');
}

const PLAIN_NAME = /^[a-zA-Z_]\w*$/;
const MATCHER = /^\s*(?:([a-zA-Z_][\w]*)|"((?:[^"\\]|\\.)*)")\s*(=~|!~|!=|=)\s*"((?:[^"\\]|\\.)*)"\s*(?:,|$)/;

const unquote = (text: string): string =>
  text.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));

/** Reads what `formatMatchers` writes, braces around it allowed; null where it is something else. */
export function parseMatchers(text: string): Matcher[] | null {
  let rest = text.trim().replace(/^\{/, '').replace(/\}$/, '');
  const matchers: Matcher[] = [];
  while (rest.trim() !== '') {
    const match = MATCHER.exec(rest);
    if (match === null) return null;
    const [whole, plain, quoted, operator, value = ''] = match;
    const name = plain ?? unquote(quoted ?? '');
    const matcher = { name, value: unquote(value), isEqual: true, isRegex: false };
    matchers.push(withOperator(matcher, operator as Operator));
    rest = rest.slice(whole.length);
  }
  return matchers;
}

/** What the matchers ask for as labels, so that a filter like `alertname="X"` finds a silence. */
export function namedBy(matchers: readonly Matcher[]): Labels {
  const wanted = matchers.filter((matcher) => matcher.isEqual);
  return Object.fromEntries(wanted.map(({ name, value }) => [name, value]));
}

/** Whether all hold for the labels; a label that is not there is empty. */
export function allHold(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.every(({ name, value, isEqual, isRegex }) => {
    const found = labels[name] ?? '';
    const matched = isRegex ? matchesWhole(value, found) : found === value;
    return matched === isEqual;
  });
}
