// Every other job: how many of its targets are up, scraped here or sent by others.
import { useQuery } from '@tanstack/react-query';
import { liveInterval, targetsQuery } from '../../api/polling';
import { queryInstant, type Sample } from '../../api/query';
import { Badge } from '../../components/Badge';
import { Link } from '../../components/Link';
import { formatSeries } from '../../formatting/labels';
import { exploreAddress } from '../explore/address';
import { countJobs, jobsOfSamples, mergeJobs } from './countJobs';

export function OtherHosts() {
  const scraped = countJobs(useQuery(targetsQuery).data?.activeTargets ?? []);
  const sent = useQuery({
    queryKey: ['jobs-up'],
    refetchInterval: liveInterval,
    queryFn: async ({ signal }) => {
      const ask = async (query: string): Promise<readonly Sample[]> => {
        const { result } = await queryInstant(query, undefined, signal);
        return result.kind === 'samples' ? result.samples : [];
      };
      const [sums, counts] = await Promise.all([ask('sum by (job) (up)'), ask('count by (job) (up)')]);
      return jobsOfSamples(sums, counts);
    },
  });
  const isScraped = new Set(scraped.map((job) => job.name));
  const jobs = mergeJobs(scraped, sent.data ?? []).filter((job) => job.name !== 'binnacle');
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
            <Link
              className="short-line"
              href={
                isScraped.has(job.name)
                  ? `/targets?filter=${encodeURIComponent(job.name)}`
                  : exploreAddress({ query: formatSeries({ __name__: 'up', job: job.name }), view: 'table' })
              }
            >
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
