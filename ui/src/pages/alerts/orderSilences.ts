// Silences in the order in which they matter.
import type { Silence } from '../../api/alertmanager';
import type { Recurrence } from '../../api/silences';

const RANK: Readonly<Record<Silence['status']['state'], number>> = { active: 0, pending: 1, expired: 2 };
/** Silences that are over are shown, but not all that ever were. */
const EXPIRED_MAX = 50;

export function orderSilences(silences: readonly Silence[]): Silence[] {
  const ordered = silences.toSorted(
    (a, b) =>
      RANK[a.status.state] - RANK[b.status.state] ||
      (a.status.state === 'expired' ? b.endsAt.localeCompare(a.endsAt) : a.endsAt.localeCompare(b.endsAt)),
  );
  const lasting = ordered.filter((silence) => silence.status.state !== 'expired');
  return [...lasting, ...ordered.slice(lasting.length, lasting.length + EXPIRED_MAX)];
}

/** Those that come soonest first, those that do not come again last. */
export function orderRecurrences(recurrences: readonly Recurrence[]): Recurrence[] {
  return recurrences.toSorted(
    (a, b) =>
      Number(a.next === null) - Number(b.next === null) ||
      (a.next ?? '').localeCompare(b.next ?? '') ||
      a.createdAt.localeCompare(b.createdAt),
  );
}
