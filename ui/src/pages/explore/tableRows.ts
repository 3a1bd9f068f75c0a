// The lines of a table, from either kind of answer, and their order.
import type { Result } from '../../api/query';
import type { Labels } from '../../formatting/labels';
import { formatExact } from '../../formatting/number';
import { formatTime } from '../../formatting/time';

export interface Row {
  readonly labels: Labels;
  readonly value: number | string;
}

export type Order = 'given' | 'ascending' | 'descending';

/** Points of a range vector shown in one cell, the last ones. */
const POINTS_SHOWN = 50;

export function tableRows(result: Result): Row[] {
  if (result.kind === 'samples') return result.samples.map(({ labels, value }) => ({ labels, value }));
  return result.series.map(({ labels, points }) => {
    const omitted = points.length - POINTS_SHOWN;
    const lines = points
      .slice(-POINTS_SHOWN)
      .map(([seconds, value]) => `${formatExact(value)}  @ ${formatTime(seconds * 1000)}`);
    return { labels, value: [...(omitted > 0 ? [`${omitted} earlier points`] : []), ...lines].join('\n') };
  });
}

/** Numbers by size, what is not a number last. */
export function orderRows(rows: readonly Row[], order: Order): readonly Row[] {
  if (order === 'given') return rows;
  const sign = order === 'ascending' ? 1 : -1;
  const last = sign * Infinity;
  const size = ({ value }: Row): number => (typeof value === 'number' && !Number.isNaN(value) ? value : last);
  return rows.toSorted((a, b) => {
    const [x, y] = [size(a), size(b)];
    return x === y ? 0 : x < y ? -sign : sign;
  });
}
