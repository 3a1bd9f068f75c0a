// Every other job that is scraped: how many of its targets are up.
import { useQuery } from '@tanstack/react-query';
import { targetsQuery } from '../../api/polling';
import type { Target } from '../../api/targets';
import { Badge } from '../../components/Badge';
import { Link } from '../../components/Link';

interface Job {
  readonly name: string;
  readonly up: number;
  readonly total: number;
}

/** Counts targets by job, the ones with something down first. */
export function countJobs(targets: readonly Target[]): Job[] {
  const jobs = new Map<string, { up: number; total: number }>();
  for (const target of targets) {
    const name = target.labels['job'] ?? target.scrapePool;
    const job = jobs.get(name) ?? { up: 0, total: 0 };
    job.total += 1;
    if (target.health === 'up') job.up += 1;
    jobs.set(name, job);
  }
  return [...jobs]
    .map(([name, job]) => ({ name, ...job }))
    .sort((a, b) => b.total - b.up - (a.total - a.up) || a.name.localeCompare(b.name));
}

export function OtherHosts() {
  const { data } = useQuery(targetsQuery);
  const jobs = countJobs(data?.activeTargets ?? []).filter((job) => job.name !== 'binnacle');
  if (jobs.length === 0) return null;
  return (
    <section className="panel" aria-label="Other jobs">
      <div className="panel-head">
        <h2>Other jobs</h2>
        <Link href="/targets">All targets</Link>
      </div>
      <ul className="jobs">
        {jobs.map((job) => (
          <li key={job.name}>
            <Link href={`/targets?filter=${encodeURIComponent(job.name)}`} className="short-line">
              {job.name}
            </Link>
            <Badge tone={job.up === job.total ? 'good' : 'critical'}>
              {job.up} of {job.total} up
            </Badge>
          </li>
        ))}
      </ul>
    </section>
  );
}
