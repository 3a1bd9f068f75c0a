// Matchers of silences, groups of alerts, what a silence still lacks.
import { describe, expect, it } from 'vitest';
import type { Matcher, RoutedAlert, Silence } from '../../api/alertmanager';
import type { Attempt } from '../../api/notifications';
import type { Recurrence } from '../../api/silences';
import { exploreOfGenerator } from './generator';
import { groupAlerts } from './groupAlerts';
import { allHold, formatMatchers, matchersOf, parseMatchers } from './matchers';
import { lastAttempts } from './lastAttempts';
import { orderRecurrences, orderSilences } from './orderSilences';
import { problemOf } from './silenceProblem';

describe('matchers', () => {
  it('are made from labels, written and read back', () => {
    const check = (labels: Record<string, string>, want: string) => {
      const matchers = matchersOf(labels);
      expect(formatMatchers(matchers)).toBe(want);
      expect(parseMatchers(`{${want}}`)).toEqual(matchers);
    };
    check({}, '');
    check({ b: '2', a: '1' }, 'a="1", b="2"');
    check({ a: 'quote " back \\ line \n end' }, 'a="quote \\" back \\\\ line \\n end"');
    check({ 'host.name': 'a' }, '"host.name"="a"');
    check({ a: 'x, y="z"}' }, 'a="x, y=\\"z\\"}"');
  });

  it('are read with every operator, or not at all', () => {
    const check = (text: string, want: string | null) => {
      const parsed = parseMatchers(text);
      expect(parsed === null ? null : formatMatchers(parsed)).toBe(want);
    };
    check('a=~"x.*",b!="y" , c!~"z"', 'a=~"x.*", b!="y", c!~"z"');
    check('{}', '');
    check('a', null);
    check('a=b', null);
    check('a="b" c="d"', null);
  });

  it('hold for labels from end to end', () => {
    const check = (text: string, want: boolean) =>
      expect(allHold(parseMatchers(text) ?? [], { job: 'web', zone: 'a' })).toBe(want);
    check('job="web"', true);
    check('job=~"we"', false);
    check('job=~"w.b", zone!="b"', true);
    check('job!~"w.*"', false);
    check('other=""', true);
    check('other=~".+"', false);
  });
});

it('says what a silence lacks', () => {
  const good: Matcher = { name: 'a', value: 'b', isEqual: true, isRegex: false };
  const whole = { matchers: [good], seconds: 60, comment: 'why', person: 'ada' };
  const check = (change: Partial<typeof whole> | { seconds: null }, want: RegExp | null) => {
    const problem = problemOf({ ...whole, ...change });
    if (want === null) expect(problem).toBeNull();
    else expect(problem).toMatch(want);
  };
  check({}, null);
  check({ matchers: [] }, /needs a label/);
  check({ matchers: [{ ...good, value: '' }] }, /everything/);
  check({ matchers: [{ ...good, isEqual: false }] }, /everything/);
  check({ seconds: null }, /duration/);
  check({ person: ' ' }, /who/);
  check({ comment: '' }, /why/);
});

const alert = (alertname: string, severity: string, state: 'active' | 'suppressed', startsAt: string): RoutedAlert => ({
  labels: { alertname, severity },
  annotations: {},
  receivers: [],
  status: { state, silencedBy: [], inhibitedBy: [] },
  startsAt,
  endsAt: '',
  updatedAt: '',
  fingerprint: alertname + startsAt,
});

it('orders groups by how bad they are, quiet ones last', () => {
  const groups = groupAlerts([
    alert('Quiet', 'critical', 'suppressed', '2026-01-03T00:00:00Z'),
    alert('Old', 'warning', 'active', '2026-01-01T00:00:00Z'),
    alert('New', 'warning', 'active', '2026-01-02T00:00:00Z'),
    alert('Worst', 'page', 'active', '2026-01-01T00:00:00Z'),
    alert('Old', 'page', 'suppressed', '2026-01-04T00:00:00Z'),
  ]);
  expect(groups.map((group) => [group.name, group.severity])).toEqual([
    ['Worst', 'critical'],
    ['New', 'medium'],
    ['Old', 'medium'],
    ['Quiet', 'critical'],
  ]);
  expect(groups[2]?.alerts.map((one) => one.status.state)).toEqual(['active', 'suppressed']);
});

it('folds retries into the last one', () => {
  const attempt = (groupKey: string, count: number, reason = 'new'): Attempt => ({
    at: '',
    receiver: 'chat',
    integration: 'webhook[0]',
    groupKey,
    reason,
    attempt: count,
    alerts: [],
    firing: 1,
    resolved: 0,
    outcome: 'failed',
    error: null,
  });
  const check = (attempts: Attempt[], want: string) =>
    expect(lastAttempts(attempts).map((one) => one.groupKey + one.attempt).join(' ')).toBe(want);
  check([], '');
  check([attempt('a', 3), attempt('b', 1), attempt('a', 2), attempt('a', 1)], 'a3 b1');
  check([attempt('a', 2), attempt('a', 1), attempt('a', 5), attempt('a', 4)], 'a2 a5');
  check([attempt('a', 1), attempt('a', 1)], 'a1 a1');
  check([attempt('a', 2, 'repeat'), attempt('a', 1, 'new'), attempt('a', 1, 'repeat')], 'a2 a1');
});

it('orders silences: those that end soonest first, what is over last', () => {
  const silence = (id: string, state: 'active' | 'pending' | 'expired', endsAt: string) =>
    ({ id, status: { state }, endsAt }) as Silence;
  const ordered = orderSilences([
    silence('over-long', 'expired', '2026-01-01'),
    silence('later', 'active', '2026-03-02'),
    silence('over-just', 'expired', '2026-01-02'),
    silence('to-come', 'pending', '2026-02-01'),
    silence('soon', 'active', '2026-03-01'),
  ]);
  expect(ordered.map(({ id }) => id)).toEqual(['soon', 'later', 'to-come', 'over-just', 'over-long']);
});

it('orders recurring silences: those that come soonest first', () => {
  const recurrence = (id: string, next: string | null, createdAt = '') => ({ id, next, createdAt }) as Recurrence;
  const ordered = orderRecurrences([
    recurrence('never', null),
    recurrence('later', '2026-03-02'),
    recurrence('soon-new', '2026-03-01', '2026-02-02'),
    recurrence('soon-old', '2026-03-01', '2026-02-01'),
  ]);
  expect(ordered.map(({ id }) => id)).toEqual(['soon-old', 'soon-new', 'later', 'never']);
});

it('leads from a generator address to Explore', () => {
  const check = (generator: string | undefined, want: string | null) =>
    expect(exploreOfGenerator(generator)).toBe(want);
  check('http://prom:9090/graph?g0.expr=up+%3D%3D+0&g0.tab=1', '/explore?g0.expr=up+%3D%3D+0&g0.tab=1');
  check('http://other/', null);
  check('', null);
  check(undefined, null);
  check('http://[', null);
});
