// How many of each job are up: of targets that are scraped here, and of those that others scrape and send.
import type { Sample } from '../../api/query';
import type { Target } from '../../api/targets';

export interface Job {
  readonly name: string;
  readonly up: number;
  readonly total: number;
}

/** Counts targets by job. */
export function countJobs(targets: readonly Target[]): Job[] {
  const jobs = new Map<string, { up: number; total: number }>();
  for (const target of targets) {
    const name = target.labels['job'] ?? target.scrapePool;
    const job = jobs.get(name) ?? { up: 0, total: 0 };
    job.total += 1;
    if (target.health === 'up') job.up += 1;
    jobs.set(name, job);
  }
  return [...jobs].map(([name, job]) => ({ name, ...job }));
}

/** Reads `sum by (job) (up)` and `count by (job) (up)`. */
export function jobsOfSamples(sums: readonly Sample[], counts: readonly Sample[]): Job[] {
  const up = new Map(sums.map(({ labels, value }) => [labels['job'], Number(value)]));
  return counts.map(({ labels, value }) => ({
    name: labels['job'] ?? '',
    up: up.get(labels['job']) ?? 0,
    total: Number(value),
  }));
}

/** What is scraped here is judged by its targets; the rest by its samples. What has something down comes first. */
export function mergeJobs(scraped: readonly Job[], sent: readonly Job[]): Job[] {
  const known = new Set(scraped.map((job) => job.name));
  return [...scraped, ...sent.filter((job) => job.name !== '' && !known.has(job.name))].sort(
    (a, b) => b.total - b.up - (a.total - a.up) || a.name.localeCompare(b.name),
  );
}
