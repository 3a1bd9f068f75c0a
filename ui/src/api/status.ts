// What the program says of itself.
import { getJson } from './http';

export interface Status {
  readonly version: string;
  readonly startedAt: string;
  readonly ready: boolean;
  readonly notes: readonly string[];
  readonly files: readonly { readonly path: string; readonly kind: string }[];
  readonly configLoadedAt: string | null;
  readonly reloadProblem: string | null;
  readonly storeProblem: string | null;
  readonly undelivered: number;
}

export async function showStatus(signal?: AbortSignal): Promise<Status> {
  return (await getJson('/api/binnacle/v1/status', {}, signal)) as Status;
}
