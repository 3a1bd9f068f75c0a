// From what is chosen on the page to the time that is asked for.
import { parseDuration } from '../../formatting/duration';

/** How far back one can look with one press. The history is kept for 90 days. */
export const SPANS: readonly string[] = ['1h', '1d', '7d', '30d', '90d'];

const DAY_SECONDS = 86_400;

interface Chosen {
  /** One of `SPANS`, or `custom`. */
  readonly span: string;
  /** For `custom`: local date and time as a field holds them; empty where nothing is chosen. */
  readonly from: string;
  readonly to: string;
}

/** Seconds since 1970; without an end, until now. Ends that stand the wrong way round are turned. */
export function historyRange({ span, from, to }: Chosen, nowMillis: number): { start: number; end?: number } {
  const now = nowMillis / 1000;
  if (span !== 'custom') return { start: now - (parseDuration(span) ?? DAY_SECONDS) };
  const end = secondsOf(to);
  const start = secondsOf(from) ?? (end ?? now) - DAY_SECONDS;
  if (end === null) return { start };
  return { start: Math.min(start, end), end: Math.max(start, end) };
}

function secondsOf(text: string): number | null {
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? null : millis / 1000;
}
