// How far the value axis of a graph reaches.

export interface AxisWish {
  readonly startsAtZero?: boolean;
  /** The top at least. */
  readonly atLeast?: number;
}

/** Gives the values some room; a flat line lies in the middle rather than on the edge. */
export function valueRange(wish: AxisWish, min: number | null, max: number | null): [number, number] {
  if (min === null || max === null) return [0, wish.atLeast ?? 1];
  let low = min;
  let high = max;
  if (wish.startsAtZero === true) low = Math.min(0, low);
  if (wish.atLeast !== undefined) high = Math.max(high, wish.atLeast);
  if (low === high) return low === 0 ? [0, 1] : [low - Math.abs(low) * 0.1, high + Math.abs(high) * 0.1];
  const room = (high - low) * 0.06;
  const keepsLow = wish.startsAtZero === true && low === 0;
  const keepsHigh = wish.atLeast === high;
  return [keepsLow ? 0 : low - room, keepsHigh ? high : high + room];
}
