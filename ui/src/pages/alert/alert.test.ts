// Why somebody was told of an alert, in one sentence; when it fired, as spans.
import { describe, expect, it } from 'vitest';
import type { AlertEvent, Change, ExplainedIntegration, ExplainedRoute, Explanation } from '../../api/alerts';
import type { Silence } from '../../api/alertmanager';
import type { Attempt } from '../../api/notifications';
import type { Incident } from '../../api/incidents';
import { firingSpans, placeOf } from './firingSpans';
import { incidentOf } from './incidentOf';
import { stateOf } from './integrationState';
import { joinWords, verdictOf } from './verdict';

const at = (minute: number): string => `2026-11-20T00:${String(minute).padStart(2, '0')}:00.000Z`;

const integration = (change: Partial<ExplainedIntegration> = {}): ExplainedIntegration => ({
  name: 'webhook[0]',
  verdict: '',
  groupToldAt: null,
  toldFiring: false,
  toldResolved: false,
  pendingAttempts: null,
  nextAttempt: null,
  failingSince: null,
  error: null,
  ...change,
});

const told = integration({ groupToldAt: at(1), toldFiring: true });

const route = (receiver: string, integrations: ExplainedIntegration[], change: Partial<ExplainedRoute> = {}): ExplainedRoute => ({
  route: '{}',
  receiver,
  groupKey: receiver,
  groupLabels: {},
  nextFlush: at(5),
  mutedBy: [],
  groupWait: '30s',
  groupInterval: '5m',
  repeatInterval: '4h',
  integrations,
  ...change,
});

const attempt = (receiver: string, error: string | null): Attempt => ({
  at: at(2),
  receiver,
  integration: 'webhook[0]',
  groupKey: '{}',
  reason: 'first notification',
  attempt: 1,
  alerts: [],
  firing: 1,
  resolved: 0,
  outcome: error === null ? 'delivered' : 'failed',
  error,
});

const event = (minute: number, change: Change, detail = ''): AlertEvent => ({
  at: at(minute),
  fingerprint: '0',
  labels: {},
  change,
  detail,
});

const explanation = (change: Partial<Explanation>): Explanation => ({
  fingerprint: '71b4cdc6c3b1d09c',
  labels: { alertname: 'DiskFull' },
  alert: null,
  rule: null,
  state: 'active',
  receivers: [],
  flapping: false,
  inhibitedBy: null,
  silencedBy: [],
  routes: [],
  attempts: [],
  history: [],
  ...change,
});

describe('why somebody was told, or not', () => {
  const check = (change: Partial<Explanation>, tone: string, text: string) =>
    expect(verdictOf(explanation(change))).toEqual({ tone, text });

  it('says nothing of what is not known', () => {
    expect(verdictOf(explanation({ labels: null, state: 'gone' }))).toBeNull();
  });

  it('of an alert that fires', () => {
    check({ routes: [route('team', [told])] }, 'good', `team was told at ${at(1)}.`);
    check(
      { routes: [route('team', [told, integration({ ...told, name: 'email[0]', groupToldAt: at(2) })]), route('boss', [told])] },
      'good',
      `team and boss were told at ${at(2)}.`,
    );
    check(
      { routes: [route('team', [integration()])] },
      'medium',
      `Nobody was told yet: its group is looked at next at ${at(5)}.`,
    );
    check(
      { routes: [route('team', [integration({ pendingAttempts: 0 })])] },
      'medium',
      'Nobody was told yet: a notification is on its way.',
    );
    check(
      { routes: [route('team', [integration({ pendingAttempts: 3, nextAttempt: at(7), error: 'connection refused' })])] },
      'high',
      `Nobody was told yet: 3 attempts to tell team failed (connection refused); the next is at ${at(7)}.`,
    );
    check(
      { routes: [route('team', [told]), route('pager', [integration({ pendingAttempts: 1 })])] },
      'high',
      `team was told at ${at(1)}. An attempt to tell pager failed.`,
    );
    check(
      { routes: [route('team', [told]), route('night', [integration()], { mutedBy: ['offhours'] })] },
      'good',
      `team was told at ${at(1)}. night was not told yet: the time interval “offhours” mutes it.`,
    );
    // Integrations of one receiver that fared differently are told apart.
    check(
      { routes: [route('team', [told, integration({ name: 'email[0]', pendingAttempts: 2 })])] },
      'high',
      `team (webhook[0]) was told at ${at(1)}. 2 attempts to tell team (email[0]) failed.`,
    );
    // Two fail alike: nobody was told, so that there is nobody to tell them from but those who wait.
    check(
      { routes: [route('team', [integration({ pendingAttempts: 1 }), integration({ name: 'email[0]', pendingAttempts: 1 })])] },
      'high',
      'Nobody was told yet: an attempt to tell team failed.',
    );
    // Why it failed stands in the attempts where the integration does not count as failing yet.
    check(
      { routes: [route('team', [integration({ pendingAttempts: 1 })])], attempts: [attempt('boss', 'x'), attempt('team', 'timed out')] },
      'high',
      'Nobody was told yet: an attempt to tell team failed (timed out).',
    );
    check({ routes: [route('hole', [])] }, 'high', 'Nobody is told: the receiver hole has no integration.');
    check({}, 'high', 'Nobody is told: no route takes it.');
  });

  it('of an alert that is muted', () => {
    const silence = { id: 'S', createdBy: 'ann', endsAt: at(30) } as Silence;
    check(
      { state: 'suppressed', silencedBy: [silence], routes: [route('team', [integration()])] },
      'low',
      `Nobody was told: silence S of ann mutes it until ${at(30)}.`,
    );
    check(
      { state: 'suppressed', silencedBy: [silence], routes: [route('team', [told])] },
      'low',
      `team was told at ${at(1)}. Now nobody is: silence S of ann mutes it until ${at(30)}.`,
    );
    check(
      { state: 'suppressed', inhibitedBy: { fingerprint: 'f', labels: { alertname: 'HostDown' } }, silencedBy: [silence] },
      'low',
      'Nobody was told: HostDown (f) inhibits it.',
    );
    check(
      { state: 'suppressed', routes: [route('a', [], { mutedBy: ['night', 'weekend'] }), route('b', [], { mutedBy: ['night'] })] },
      'low',
      'Nobody was told: the time intervals “night” and “weekend” mute it.',
    );
  });

  it('of an alert that is pending', () => {
    const rule = { for: '5m', firesAt: at(9) } as Explanation['rule'];
    check(
      { state: 'pending', rule, receivers: ['team', 'boss'] },
      'medium',
      `Nobody was told yet: its condition holds, but not for 5m yet. It fires at ${at(9)} if that goes on; then team and boss will be told.`,
    );
  });

  it('of an alert that is over', () => {
    check(
      { state: 'resolved', routes: [route('team', [integration({ groupToldAt: at(3), toldResolved: true })])] },
      'good',
      `It is over, and team was told of its end at ${at(3)}.`,
    );
    check(
      { state: 'resolved', routes: [route('team', [told])] },
      'low',
      `It is over. team was told that it fires, not of its end yet; its group is looked at next at ${at(5)}.`,
    );
    check(
      { state: 'resolved', flapping: true, routes: [route('team', [told])] },
      'medium',
      'It is over for now. team was not told of its end, because it flaps.',
    );
    check({ state: 'resolved' }, 'low', 'It is over, and nobody was told of it.');
  });

  it('of an alert that is gone', () => {
    check({ state: 'gone', attempts: [attempt('team', null)] }, 'low', `It is over. team was told, last at ${at(2)}.`);
    check(
      { state: 'gone', attempts: [attempt('team', 'status 500')] },
      'high',
      'It is over. Nobody was told: every attempt to tell team failed: status 500.',
    );
    check(
      { state: 'gone', history: [event(3, 'resolved'), event(2, 'suppressed', 'silenced by S'), event(1, 'fired')] },
      'low',
      'It is over. Nobody was told: it was silenced by S.',
    );
    check({ state: 'gone' }, 'low', 'It is over. No attempt to tell anybody of it is recorded.');
  });
});

it('joins words as people do', () => {
  const check = (words: string[], want: string) => expect(joinWords(words)).toBe(want);
  check([], '');
  check(['a'], 'a');
  check(['a', 'b'], 'a and b');
  check(['a', 'b', 'c'], 'a, b and c');
});

it('has one word for what an integration knows', () => {
  const check = (change: Partial<ExplainedIntegration>, isOver: boolean, want: string) =>
    expect(stateOf(integration(change), isOver).word).toBe(want);
  check({}, false, 'not told');
  check({ toldFiring: true }, false, 'told');
  check({ toldFiring: true, pendingAttempts: 2 }, false, 'failing');
  check({ pendingAttempts: 0 }, false, 'on its way');
  check({ toldResolved: true }, true, 'told its end');
  check({ toldFiring: true }, true, 'told');
});

it('finds the spans in which an alert fired', () => {
  const now = Date.parse(at(59));
  const minutes = (spans: readonly { start: number; end: number }[]) =>
    spans.map(({ start, end }) => `${(start - now) / 60_000 + 59}-${(end - now) / 60_000 + 59}`).join(' ');
  // The newest first, as the server sends them.
  const check = (events: AlertEvent[], firing: string | null, muted = '') => {
    const spans = firingSpans(events, now);
    expect(spans === null ? null : minutes(spans.firing)).toBe(firing);
    if (spans !== null) expect(minutes(spans.muted)).toBe(muted);
  };
  check([], null);
  check([event(10, 'fired')], '10-59');
  check([event(20, 'resolved'), event(10, 'fired')], '10-20');
  check([event(40, 'fired'), event(20, 'resolved'), event(10, 'fired')], '10-20 40-59');
  // What began before the oldest event that is kept.
  check([event(58, 'resolved')], '49-58');
  check([event(20, 'resolved')], '20-20');
  check([event(30, 'released'), event(20, 'suppressed'), event(10, 'fired')], '10-59', '20-30');
  check([event(40, 'resolved'), event(20, 'suppressed'), event(10, 'fired')], '10-40', '20-40');
  check([event(20, 'suppressed'), event(10, 'fired')], '10-59', '20-59');
  check([event(12, 'steady'), event(11, 'flapping')], null);
});

it('places spans within the whole', () => {
  const whole = { start: 0, end: 1000 };
  const check = (start: number, end: number, left: number, width: number) =>
    expect(placeOf({ start, end }, whole)).toEqual({ left, width });
  check(0, 1000, 0, 100);
  check(500, 750, 50, 25);
  check(500, 500, 50, 0.5);
  check(1000, 1000, 99.5, 0.5);
});

it('finds the incident of an alert', () => {
  const incident = (id: string, status: Incident['status'], labels: Record<string, string>, openedAt = '') =>
    ({ id, status, labels, openedAt }) as Incident;
  const incidents = [
    incident('1', 'resolved', { alertname: 'A' }),
    incident('2', 'open', { alertname: 'A', job: 'x' }, '2026-01-01'),
    incident('3', 'acknowledged', { alertname: 'A', job: 'x' }, '2026-01-02'),
    incident('4', 'open', { alertname: 'B' }),
    incident('5', 'open', {}),
  ];
  const check = (labels: Record<string, string>, want: string | undefined) =>
    expect(incidentOf(labels, incidents)?.id).toBe(want);
  check({ alertname: 'A', job: 'x', instance: 'i' }, '3');
  check({ alertname: 'A', job: 'y' }, undefined);
  check({ alertname: 'B', job: 'y' }, '4');
  check({}, undefined);
});
