// Receivers of notifications, and trying one.
import { getJson, sendJson } from './http';

export interface Trial {
  /** As `webhook[0]`. */
  readonly integration: string;
  /** Whether the message was about the end of the alert. */
  readonly resolved: boolean;
  readonly delivered: boolean;
  readonly error: string | null;
  /** The template that failed, so that a plain text was sent. */
  readonly templateError: string | null;
  readonly seconds: number;
}

/** Their names in the order of the file. */
export async function listReceivers(signal?: AbortSignal): Promise<readonly string[]> {
  const answer = (await getJson('/api/v2/receivers', {}, signal)) as { name: string }[];
  return answer.map(({ name }) => name);
}

/** Sends a marked test to everybody behind a receiver; answers how each took it. */
export async function tryReceiver(name: string, resolves: boolean): Promise<readonly Trial[]> {
  const path = `/api/binnacle/v1/receivers/${encodeURIComponent(name)}/test${resolves ? '?resolve=true' : ''}`;
  return (await sendJson('POST', path)) as Trial[];
}
