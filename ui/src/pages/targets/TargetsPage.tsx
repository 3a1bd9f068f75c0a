// What is scraped, by scrape pool: is it up, since when, how long it takes, and why not.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import { targetsQuery } from '../../api/polling';
import type { Target, Targets } from '../../api/targets';
import { useParameter } from '../../app/location';
import { Choice } from '../../components/Choice';
import { EmptyState } from '../../components/EmptyState';
import { FilterField } from '../../components/FilterField';
import { Loaded } from '../../components/Loaded';
import { PageTitle } from '../../components/PageTitle';
import { formatCount } from '../../formatting/number';
import { chooseTargets, countHealth, groupByPool } from './chooseTargets';
import { PoolPanel } from './PoolPanel';

export default function TargetsPage() {
  const targets = useQuery(targetsQuery);
  const [filter, setFilter] = useParameter('filter', '');
  const [health, setHealth] = useParameter('health', 'all');
  const counts = countHealth(targets.data?.activeTargets ?? []);
  return (
    <>
      <PageTitle title="Targets" aside={<Aside targets={targets.data} />}>
        <FilterField label="Filter targets" value={filter} onChange={setFilter} />
        <Choice
          label="Health"
          value={health}
          onChange={setHealth}
          options={[
            { value: 'all', label: 'All', count: counts.all },
            { value: 'up', label: 'Up', count: counts.up },
            { value: 'down', label: 'Down', count: counts.down },
          ]}
        />
      </PageTitle>
      <Loaded query={targets} height={420}>
        {(data) => <Pools targets={data.activeTargets} filter={filter} health={health} />}
      </Loaded>
    </>
  );
}

function Aside({ targets }: { readonly targets: Targets | undefined }) {
  if (targets === undefined) return null;
  const dropped = Object.values(targets.droppedTargetCounts ?? {}).reduce((sum, count) => sum + count, 0);
  const active = formatCount(targets.activeTargets.length, 'target');
  return <>{dropped > 0 ? `${active}, ${dropped.toLocaleString('en')} dropped by relabelling` : active}</>;
}

interface PoolsProps {
  readonly targets: readonly Target[];
  readonly filter: string;
  readonly health: string;
}

function Pools({ targets, filter, health }: PoolsProps) {
  const wanted = useDeferredValue(filter);
  const chosen = chooseTargets(targets, wanted, health);
  if (targets.length === 0) {
    return (
      <div className="panel">
        <EmptyState icon="targets" title="Nothing is scraped">
          <p>Name what to watch in a prometheus.yml and start Binnacle with the folder that holds it.</p>
          <pre>{`scrape_configs:\n  - job_name: web\n    static_configs:\n      - targets: ["web-1:9100"]`}</pre>
        </EmptyState>
      </div>
    );
  }
  if (chosen.length === 0) {
    return (
      <div className="panel">
        <EmptyState icon="targets" title="No target fits the filter">
          <p>{formatCount(targets.length, 'target')} are hidden by it.</p>
        </EmptyState>
      </div>
    );
  }
  return (
    <div className="stack">
      {groupByPool(chosen).map(([pool, members]) => (
        <PoolPanel key={pool} pool={pool} targets={members} />
      ))}
    </div>
  );
}
