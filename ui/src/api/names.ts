// The names of metrics that a selector finds.
import { unwrap } from './envelope';
import { getJson } from './http';

/** Names that had samples since `start` (seconds). */
export async function metricNames(selector: string, start: number, signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const parameters = { 'match[]': selector, start: String(start) };
  return new Set(unwrap<string[]>(await getJson('/api/v1/label/__name__/values', parameters, signal)).data);
}
