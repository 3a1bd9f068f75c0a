// Rule packs that the program brings along.
import { getJson } from './http';
import { metricNames } from './names';

export interface Pack {
  readonly name: string;
  readonly watches: string;
  readonly alerts: number;
  readonly recordings: number;
  /** Names of metrics that it reads. */
  readonly metrics: readonly string[];
  /** Where its runbook is; a page of the server. */
  readonly runbook: string;
  /** Where it lies in the configuration in force; null where it is not enabled. */
  readonly file: string | null;
  /** Groups of it that are evaluated. */
  readonly groups: number;
}

export interface Packs {
  /** Where enabled packs lie. */
  readonly folder: string;
  readonly packs: readonly Pack[];
}

export async function listPacks(signal?: AbortSignal): Promise<Packs> {
  return (await getJson('/api/binnacle/v1/packs', {}, signal)) as Packs;
}

/** Those of the names that had samples within the last hour. */
export async function presentMetrics(names: readonly string[], signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const hourAgo = Date.now() / 1000 - 3_600;
  return metricNames(`{__name__=~"${names.join('|')}"}`, hourAgo, signal);
}
