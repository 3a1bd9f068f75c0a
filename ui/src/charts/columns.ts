// From series of points to the columns that uPlot draws: one of times, one of values for each series.
import type { Range, Series } from '../api/query';

export interface Columns {
  readonly seconds: readonly number[];
  /** One list for each series, as long as `seconds`; null where there is no sample or no finite one. */
  readonly values: readonly (readonly (number | null)[])[];
}

/** Lays every series on the grid of the range. Points off the grid go to the nearest place on it. */
export function toColumns(series: readonly Series[], range: Range): Columns {
  const count = Math.floor((range.end - range.start) / range.step + 1e-9) + 1;
  const seconds = Array.from({ length: Math.max(0, count) }, (_, index) => range.start + index * range.step);
  const values = series.map(({ points }) => {
    const column = new Array<number | null>(seconds.length).fill(null);
    for (const [at, value] of points) {
      const index = Math.round((at - range.start) / range.step);
      if (index >= 0 && index < column.length && Number.isFinite(value)) column[index] = value;
    }
    return column;
  });
  return { seconds, values };
}

/** The last value of a column that is one; null where there is none. */
export function lastValue(column: readonly (number | null)[]): number | null {
  for (let index = column.length - 1; index >= 0; index -= 1) {
    const value = column[index];
    if (value !== null && value !== undefined) return value;
  }
  return null;
}

/** A range that ends now, on a grid that does not slide with every refresh, so that lines do not shimmer. */
export function rangeUntil(nowSeconds: number, lengthSeconds: number, step: number): Range {
  const end = Math.floor(nowSeconds / step) * step;
  return { start: end - Math.floor(lengthSeconds / step) * step, end, step };
}
