// Every rule group: what its rules ask, whether that works, how long it takes, what it makes fire.
import { useQuery } from '@tanstack/react-query';
import { lazy, Suspense, useDeferredValue } from 'react';
import { ruleGroupsQuery } from '../../api/polling';
import type { RuleGroup } from '../../api/rules';
import { useParameter } from '../../app/location';
import { Choice } from '../../components/Choice';
import { EmptyState } from '../../components/EmptyState';
import { FilterField } from '../../components/FilterField';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { PageTitle } from '../../components/PageTitle';
import { useCapped } from '../../components/useCapped';
import { formatCount } from '../../formatting/number';
import { chooseGroups, countRules } from './chooseRules';
import { GroupPanel } from './GroupPanel';

/** Loaded by those who ask for it. */
const PackList = lazy(() => import('./PackList'));

/** Groups shown at first; thousands of rules at once make the page slow. */
const SHOWN_AT_FIRST = 50;

export default function RulesPage() {
  const groups = useQuery(ruleGroupsQuery);
  const [filter, setFilter] = useParameter('filter', '');
  const [state, setState] = useParameter('state', 'all');
  const wanted = useDeferredValue(filter);
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
            { value: 'packs', label: 'Packs' },
          ]}
        />
      </PageTitle>
      {state === 'packs' ? (
        <Suspense fallback={<div style={{ minHeight: '80vh' }} />}>
          <PackList filter={wanted} />
        </Suspense>
      ) : (
        <Loaded query={groups} height={420}>
          {(data) => <Groups groups={data} filter={wanted} state={state} />}
        </Loaded>
      )}
    </>
  );
}

interface GroupsProps {
  readonly groups: readonly RuleGroup[];
  readonly filter: string;
  readonly state: string;
}

function Groups({ groups, filter, state }: GroupsProps) {
  const chosen = chooseGroups(groups, filter, state);
  const { shown, more } = useCapped(chosen, SHOWN_AT_FIRST);
  if (groups.length === 0) {
    return (
      <div className="panel">
        <EmptyState icon="rules" title="No rules are loaded">
          <p>
            Name rule files under rule_files of prometheus.yml, start Binnacle with a folder that holds one, or enable a{' '}
            <Link href="/rules?state=packs">rule pack</Link>.
          </p>
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
      {shown.map((group) => (
        <GroupPanel key={`${group.file}\n${group.name}`} group={group} />
      ))}
      {more !== null && <div className="panel">{more}</div>}
    </div>
  );
}
