// Scrape targets.
import type { Labels } from '../formatting/labels';
import { unwrap } from './envelope';
import { getJson } from './http';

export interface Target {
  readonly discoveredLabels: Labels;
  readonly labels: Labels;
  readonly scrapePool: string;
  readonly scrapeUrl: string;
  readonly lastError: string;
  readonly lastScrape: string;
  readonly lastScrapeDuration: number;
  readonly health: 'up' | 'down' | 'unknown';
  readonly scrapeInterval?: string;
  readonly scrapeTimeout?: string;
  /** Set where a part of Binnacle answers instead of the host that was named. */
  readonly standingIn?: string;
}

export interface Targets {
  readonly activeTargets: readonly Target[];
  readonly droppedTargetCounts?: Readonly<Record<string, number>>;
}

export async function listTargets(signal?: AbortSignal): Promise<Targets> {
  return unwrap<Targets>(await getJson('/api/v1/targets', { state: 'active' }, signal)).data;
}
