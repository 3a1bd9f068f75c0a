// Retries folded into one line, so that a receiver that is down does not bury the others.
import type { Attempt } from '../../api/notifications';

/** Keeps the last attempt of each notification. `attempts`: the newest first, as the server lists them. */
export function lastAttempts(attempts: readonly Attempt[]): Attempt[] {
  const seen = new Map<string, number>();
  return attempts.filter((one) => {
    const key = [one.receiver, one.integration, one.groupKey, one.reason].join('\n');
    const later = seen.get(key);
    seen.set(key, one.attempt);
    // Attempts of one notification count up; a number that is not smaller belongs to one before it.
    return later === undefined || one.attempt >= later;
  });
}
