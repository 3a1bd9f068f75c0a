// Moments: local time on the page, UTC where one points at it.

/** Go's zero time, which the API gives for "never". */
const NEVER = '0001-01-01T00:00:00Z';

const pad = (value: number, length = 2): string => String(value).padStart(length, '0');

/** Reads RFC 3339; null for "never" and for what is missing. Milliseconds since 1970. */
export function parseTime(text: string | null | undefined): number | null {
  if (text === null || text === undefined || text === '' || text === NEVER) return null;
  const millis = Date.parse(text);
  return Number.isNaN(millis) ? null : millis;
}

/** `2026-11-21 14:03:05`, local. */
export function formatTime(millis: number): string {
  const at = new Date(millis);
  const day = `${at.getFullYear()}-${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
  return `${day} ${pad(at.getHours())}:${pad(at.getMinutes())}:${pad(at.getSeconds())}`;
}

/** `14:03:05`, local. */
export function formatClock(millis: number): string {
  return formatTime(millis).slice(11);
}

/** `2026-11-21 14:03:05 UTC`. */
export function formatUtc(millis: number): string {
  return `${new Date(millis).toISOString().slice(0, 19).replace('T', ' ')} UTC`;
}

/** `2026-11-21T14:03`: what a field for local date and time holds. */
export function formatInputTime(millis: number): string {
  return formatTime(millis).slice(0, 16).replace(' ', 'T');
}
