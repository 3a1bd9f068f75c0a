// Which lines the lists of incidents, targets and rules show, and in which order.
import { expect, it } from 'vitest';
import type { Incident } from '../api/incidents';
import type { Rule, RuleGroup } from '../api/rules';
import type { Target } from '../api/targets';
import type { Sample } from '../api/query';
import { chooseIncidents, countStatus } from './incidents/chooseIncidents';
import { countJobs, jobsOfSamples, mergeJobs } from './overview/countJobs';
import { joinFilesystems } from './overview/joinFilesystems';
import { queryOf, HOST_PANELS, SELF_PANELS, SPANS, spanNamed } from './overview/panels';
import { chooseGroups, countRules } from './rules/chooseRules';
import { chooseTargets, countHealth, groupByPool } from './targets/chooseTargets';

const incident = (id: string, status: Incident['status'], severity: Incident['severity'], openedAt: string): Incident => ({
  id,
  status,
  severity,
  title: `title ${id}`,
  labels: { alertname: `Alert${id}` },
  openedAt,
  acknowledgedAt: null,
  acknowledgedBy: null,
  resolvedAt: null,
  resolvedBy: null,
});

it('shows incidents in the order in which they need somebody', () => {
  const incidents = [
    incident('1', 'resolved', 'critical', '2026-01-01'),
    incident('2', 'open', 'low', '2026-01-05'),
    incident('3', 'acknowledged', 'critical', '2026-01-04'),
    incident('4', 'open', 'critical', '2026-01-02'),
    incident('5', 'resolved', 'low', '2026-01-03'),
    incident('6', 'open', 'critical', '2026-01-03'),
  ];
  const check = (filter: string, status: string, want: string) =>
    expect(chooseIncidents(incidents, filter, status).map(({ id }) => id).join(' ')).toBe(want);
  check('', 'all', '6 4 2 3 5 1');
  check('', 'resolved', '5 1');
  check('alertname="Alert3"', 'all', '3');
  check('low', 'open', '2');
  expect(countStatus(incidents)).toEqual({ all: 6, open: 3, acknowledged: 1, resolved: 2 });
});

const target = (pool: string, url: string, health: Target['health'], lastError = ''): Target => ({
  discoveredLabels: {},
  labels: { job: pool, instance: url },
  scrapePool: pool,
  scrapeUrl: `http://${url}/metrics`,
  lastError,
  lastScrape: '',
  lastScrapeDuration: 0,
  health,
});

it('groups targets by pool, what is down first', () => {
  const targets = [
    target('web', 'w2', 'up'),
    target('web', 'w1', 'up'),
    target('web', 'w3', 'down', 'connection refused'),
    target('db', 'd1', 'unknown'),
  ];
  expect(groupByPool(targets).map(([pool, members]) => [pool, members.map((one) => one.labels['instance'])])).toEqual([
    ['db', ['d1']],
    ['web', ['w3', 'w1', 'w2']],
  ]);
  expect(countHealth(targets)).toEqual({ all: 4, up: 2, down: 1 });
  expect(chooseTargets(targets, 'refused', 'all')).toHaveLength(1);
  expect(chooseTargets(targets, 'job="web"', 'up')).toHaveLength(2);
  expect(countJobs(targets)).toEqual([
    { name: 'web', up: 2, total: 3 },
    { name: 'db', up: 0, total: 1 },
  ]);
});

it('adds jobs that others scrape, what has something down first', () => {
  const sample = (job: string, value: number): Sample => ({ labels: { job }, seconds: 0, value });
  const sent = jobsOfSamples([sample('far', 1), sample('web', 3)], [sample('far', 4), sample('web', 3), sample('gone', 2)]);
  const scraped = [
    { name: 'web', up: 2, total: 3 },
    { name: 'api', up: 5, total: 5 },
  ];
  expect(mergeJobs(scraped, sent)).toEqual([
    { name: 'far', up: 1, total: 4 },
    { name: 'gone', up: 0, total: 2 },
    { name: 'web', up: 2, total: 3 },
    { name: 'api', up: 5, total: 5 },
  ]);
});

it('leaves rules that fit and groups that have some', () => {
  const rule = (name: string, state: 'firing' | 'inactive', health = 'ok'): Rule => ({
    type: 'alerting',
    name,
    query: `${name} > 0`,
    health,
    evaluationTime: 0,
    lastEvaluation: '',
    state,
    duration: 0,
    alerts: [],
  });
  const group = (name: string, ...rules: Rule[]): RuleGroup => ({
    name,
    file: `${name}.yml`,
    rules,
    interval: 1,
    evaluationTime: 0,
    lastEvaluation: '',
  });
  const groups = [group('one', rule('A', 'firing'), rule('B', 'inactive')), group('two', rule('C', 'inactive', 'err'))];
  const check = (filter: string, state: string, want: string) =>
    expect(
      chooseGroups(groups, filter, state)
        .map((one) => `${one.name}:${one.rules.map(({ name }) => name).join('')}`)
        .join(' '),
    ).toBe(want);
  check('', 'all', 'one:AB two:C');
  check('', 'firing', 'one:A');
  check('', 'err', 'two:C');
  check('two.yml', 'all', 'two:C');
  check('b', 'all', 'one:B');
  expect(countRules(groups)).toEqual({ all: 3, firing: 1, pending: 0, failing: 1 });
});

it('joins filesystems, each device once, the fullest first', () => {
  const sample = (mountpoint: string, device: string, value: number): Sample => ({
    labels: { mountpoint, device },
    seconds: 0,
    value,
  });
  const joined = joinFilesystems(
    [sample('/', 'sda', 100), sample('/var/bind', 'sda', 100), sample('/data', 'sdb', 100), sample('/odd', 'sdc', 0)],
    [sample('/', 'sda', 60), sample('/var/bind', 'sda', 60), sample('/data', 'sdb', 10), sample('/odd', 'sdc', 0)],
  );
  expect(joined.map(({ mountpoint }) => mountpoint)).toEqual(['/data', '/']);
});

it('asks for complete queries', () => {
  for (const span of SPANS) {
    for (const panel of [...HOST_PANELS, ...SELF_PANELS]) {
      for (const line of panel.lines) {
        const query = queryOf(line, span);
        expect(query).not.toContain('WINDOW');
        expect(query.match(/\(/g)?.length).toBe(query.match(/\)/g)?.length);
        expect(query).toContain('job="binnacle"');
      }
    }
  }
  expect(spanNamed('6h').seconds).toBe(21_600);
  expect(spanNamed('nonsense')).toBe(SPANS[0]);
});
