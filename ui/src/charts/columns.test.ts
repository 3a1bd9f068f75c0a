// From points to columns, and the axes around them.
import { expect, it } from 'vitest';
import type { Point } from '../api/query';
import { lastValue, rangeUntil, toColumns } from './columns';
import { valueRange } from './valueRange';

it('lays points on the grid of the range', () => {
  const check = (points: readonly Point[], want: readonly (number | null)[]) => {
    const { seconds, values } = toColumns([{ labels: {}, points }], { start: 100, end: 130, step: 10 });
    expect(seconds).toEqual([100, 110, 120, 130]);
    expect(values).toEqual([want]);
  };
  check([], [null, null, null, null]);
  check([[100, 1], [130, 4]], [1, null, null, 4]);
  check([[110.4, 2]], [null, 2, null, null]);
  check([[110, NaN], [120, Infinity]], [null, null, null, null]);
  check([[90, 1], [140, 1]], [null, null, null, null]);
});

it('has the end of the range, also with steps that are no binary fractions', () => {
  const { seconds } = toColumns([], { start: 0, end: 1, step: 0.1 });
  expect(seconds).toHaveLength(11);
});

it('finds the last value', () => {
  expect(lastValue([1, 2, null])).toBe(2);
  expect(lastValue([0, null])).toBe(0);
  expect(lastValue([null])).toBeNull();
  expect(lastValue([])).toBeNull();
});

it('ends a live range on the grid', () => {
  expect(rangeUntil(1007, 900, 5)).toEqual({ start: 105, end: 1005, step: 5 });
});

it('gives the value axis room', () => {
  const check = (wish: Parameters<typeof valueRange>[0], min: number | null, max: number | null, want: number[]) => {
    const [low, high] = valueRange(wish, min, max);
    expect([Number(low.toFixed(6)), Number(high.toFixed(6))]).toEqual(want);
  };
  check({}, 10, 20, [9.4, 20.6]);
  check({ startsAtZero: true }, 10, 20, [0, 21.2]);
  check({ startsAtZero: true, atLeast: 1 }, 0.1, 0.5, [0, 1]);
  check({ startsAtZero: true, atLeast: 1 }, 0.1, 2, [0, 2.12]);
  check({}, 5, 5, [4.5, 5.5]);
  check({}, 0, 0, [0, 1]);
  check({}, null, null, [0, 1]);
  check({ atLeast: 4 }, null, null, [0, 4]);
});
