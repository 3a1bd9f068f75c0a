// Graphs of a backtest: alerts that fire, notifications in each hour.
import { expect, it } from 'vitest';
import type { Backtest, TestedRule } from '../../api/backtest';
import { firingLines, notificationLines } from './backtestLines';

const rule = (name: string, spans: readonly [string, string | null][]): TestedRule => ({
  name,
  type: 'alerting',
  evaluations: 1,
  failures: 0,
  lastError: null,
  fired: spans.length,
  series: 1,
  firingSeconds: 0,
  longestSeconds: 0,
  flaps: 0,
  pendingOnly: 0,
  episodes: spans.map(([firedAt, resolvedAt]) => ({
    labels: {},
    value: '1',
    activeAt: firedAt,
    firedAt,
    resolvedAt,
    seconds: 60,
  })),
});

const report: Backtest = {
  start: '2026-01-01T00:30:00Z',
  end: '2026-01-01T02:30:00Z',
  seconds: 0.1,
  evaluations: 10,
  notes: [],
  rules: [
    rule('A', [
      ['2026-01-01T00:32:10Z', '2026-01-01T00:34:00Z'],
      ['2026-01-01T00:33:00Z', '2026-01-01T00:33:30Z'],
      ['2026-01-01T02:29:00Z', null],
    ]),
    rule('Quiet', []),
  ],
  notifications: {
    total: 3,
    receivers: [
      {
        receiver: 'oncall',
        total: 3,
        perHour: 1.5,
        hours: [
          { start: '2026-01-01T00:00:00.000Z', count: 1 },
          { start: '2026-01-01T02:00:00.000Z', count: 2 },
        ],
      },
      { receiver: 'nobody', total: 0, perHour: 0, hours: [] },
    ],
  },
  incidents: null,
};

it('counts the alerts that fire', () => {
  const { names, columns } = firingLines(report);
  expect(names).toEqual(['A']);
  expect(columns.seconds.length).toBe(121);
  expect(columns.values[0]?.slice(0, 6)).toEqual([0, 0, 1, 2, 1, 0]);
  expect(columns.values[0]?.slice(-3)).toEqual([0, 1, 1]);
});

it('counts notifications by the hour', () => {
  const { names, columns } = notificationLines(report);
  expect(names).toEqual(['oncall']);
  expect(columns.values).toEqual([[1, 0, 2]]);
  expect(columns.seconds[0]).toBe(Date.parse('2026-01-01T00:00:00Z') / 1000);
});
