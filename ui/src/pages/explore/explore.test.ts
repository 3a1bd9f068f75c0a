// Explore's address, history, rows, ranges, and where errors lie.
import { expect, it } from 'vitest';
import { exploreAddress, readAddress, writeAddress, type ExploreState } from './address';
import { errorPlace } from './errorPlace';
import { withQuery } from './history';
import { nextRange } from './nextRange';
import { stepFor } from './step';
import { orderRows, tableRows } from './tableRows';

const PLAIN: ExploreState = { query: '', view: 'graph', rangeSeconds: 3_600, endSeconds: null, stepSeconds: null };

it('reads addresses of Prometheus 2 and 3', () => {
  const check = (search: string, want: Partial<ExploreState>) => expect(readAddress(search)).toEqual({ ...PLAIN, ...want });
  check('', {});
  check('?g0.expr=up&g0.tab=1', { query: 'up', view: 'table' });
  check('?g0.expr=up&g0.tab=0&g0.range_input=2h', { query: 'up', rangeSeconds: 7_200 });
  check('?g0.expr=up&g0.tab=table', { query: 'up', view: 'table' });
  check('?g0.expr=up&g0.tab=graph&g0.end_input=1970-01-01%2000%3A01%3A00', { query: 'up', endSeconds: 60 });
  check('?g0.expr=up&g0.moment_input=1970-01-01%2000%3A01%3A00&g0.tab=1', { query: 'up', view: 'table', endSeconds: 60 });
  check('?g0.step_input=15', { stepSeconds: 15 });
  check('?g0.range_input=nonsense&g0.end_input=x', {});
});

it('reads back what it writes', () => {
  const states: ExploreState[] = [
    PLAIN,
    { query: 'a{b="c&d"} + 1 # x', view: 'table', rangeSeconds: 90, endSeconds: 1_700_000_000, stepSeconds: 0.5 },
  ];
  for (const state of states) {
    expect(readAddress(new URL(writeAddress(state), 'http://page').search)).toEqual(state);
  }
  expect(exploreAddress({ query: 'up', range: '15m' })).toBe('/explore?g0.expr=up&g0.tab=graph&g0.range_input=15m');
});

it('remembers queries once, the newest first', () => {
  expect(withQuery(['a', 'b', 'c'], 'b')).toEqual(['b', 'a', 'c']);
  expect(withQuery(Array.from({ length: 30 }, (_, index) => `${index}`), 'new')).toHaveLength(30);
});

it('finds the place of an error', () => {
  const check = (message: string, query: string, want: [string, number, string] | null) => {
    const place = errorPlace(message, query);
    expect(place === null ? null : [place.line, place.column, place.message]).toEqual(want);
  };
  check('invalid parameter "query": 1:8: parse error: unclosed left parenthesis', 'sum(up', null);
  check('invalid parameter "query": 1:7: parse error: unclosed', 'sum(up', ['sum(up', 6, 'unclosed']);
  check('2:1: parse error: unexpected ")"', 'up\n) 1', [') 1', 0, 'unexpected ")"']);
  check('query timed out', 'up', null);
  check('9:1: parse error: x', 'up', null);
});

it('steps through ranges and picks a step', () => {
  expect(nextRange(3_600, 'longer')).toBe(7_200);
  expect(nextRange(5_000, 'shorter')).toBe(3_600);
  expect(nextRange(60, 'shorter')).toBe(60);
  expect(stepFor({ rangeSeconds: 60, stepSeconds: null })).toBe(1);
  expect(stepFor({ rangeSeconds: 3_600, stepSeconds: null })).toBe(12);
  expect(stepFor({ rangeSeconds: 3_600, stepSeconds: 5 })).toBe(5);
});

it('orders rows by value, what is no number last', () => {
  const rows = [1, NaN, 3, 'text', 2].map((value) => ({ labels: {}, value }));
  const values = (order: 'ascending' | 'descending' | 'given') => orderRows(rows, order).map((row) => row.value);
  expect(values('ascending')).toEqual([1, 2, 3, NaN, 'text']);
  expect(values('descending')).toEqual([3, 2, 1, NaN, 'text']);
  expect(values('given')).toEqual([1, NaN, 3, 'text', 2]);
});

it('shows the last points of a range vector', () => {
  const points = Array.from({ length: 60 }, (_, index) => [index, index] as const);
  const [row] = tableRows({ kind: 'series', series: [{ labels: {}, points }], histogramCount: 0 });
  const lines = String(row?.value).split('\n');
  expect(lines[0]).toBe('10 earlier points');
  expect(lines).toHaveLength(51);
  expect(lines.at(-1)).toMatch(/^59 {2}@ /);
});
