// Every other job that is scraped: how many of its targets are up.
import { useQuery } from '@tanstack/react-query';
import { targetsQuery } from '../../api/polling';
import { Badge } from '../../components/Badge';
import { Link } from '../../components/Link';
import { countJobs } from './countJobs';

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
