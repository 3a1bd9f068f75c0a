// Targets counted by job.
import type { Target } from '../../api/targets';

export interface Job {
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
