// Every rule group: what its rules ask, whether that works, how long it takes, what it makes fire.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import { ruleGroupsQuery } from '../../api/polling';
import type { RuleGroup } from '../../api/rules';
import { useParameter } from '../../app/location';
import { Choice } from '../../components/Choice';
import { EmptyState } from '../../components/EmptyState';
import { FilterField } from '../../components/FilterField';
import { Loaded } from '../../components/Loaded';
import { PageTitle } from '../../components/PageTitle';
import { formatCount } from '../../formatting/number';
import { chooseGroups, countRules } from './chooseRules';
import { GroupPanel } from './GroupPanel';

export default function RulesPage() {
  const groups = useQuery(ruleGroupsQuery);
  const [filter, setFilter] = useParameter('filter', '');
  const [state, setState] = useParameter('state', 'all');
  const counts = countRules(groups.data ?? []);
  return (
    <>
      <PageTitle title="Rules" aside={formatCount(counts.all, 'rule')}>
        <FilterField label="Filter rules" value={filter} onChange={setFilter} />
        <Choice
          label="State"
          value={state}
          onChange={setState}
          options={[
            { value: 'all', label: 'All' },
            { value: 'firing', label: 'Firing', count: counts.firing },
            { value: 'pending', label: 'Pending', count: counts.pending },
            { value: 'err', label: 'Failing', count: counts.failing },
          ]}
        />
      </PageTitle>
      <Loaded query={groups} height={420}>
        {(data) => <Groups groups={data} filter={filter} state={state} />}
      </Loaded>
    </>
  );
}

interface GroupsProps {
  readonly groups: readonly RuleGroup[];
  readonly filter: string;
  readonly state: string;
}

function Groups({ groups, filter, state }: GroupsProps) {
  const wanted = useDeferredValue(filter);
  const chosen = chooseGroups(groups, wanted, state);
  if (groups.length === 0) {
    return (
      <div className="panel">
        <EmptyState icon="rules" title="No rules are loaded">
          <p>Name rule files under rule_files of prometheus.yml, or start Binnacle with a folder that holds one.</p>
          <pre>{`groups:\n  - name: web\n    rules:\n      - alert: WebDown\n        expr: up{job="web"} == 0\n        for: 5m`}</pre>
        </EmptyState>
      </div>
    );
  }
  if (chosen.length === 0) {
    return (
      <div className="panel">
        <EmptyState icon="rules" title="No rule fits the filter" />
      </div>
    );
  }
  return (
    <div className="stack">
      {chosen.map((group) => (
        <GroupPanel key={`${group.file}\n${group.name}`} group={group} />
      ))}
    </div>
  );
}
