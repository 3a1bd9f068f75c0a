// Numbers, durations, times and labels as the page writes and reads them.
import { describe, expect, it } from 'vitest';
import { coarse, formatDuration, parseDuration, writeDuration } from './duration';
import { formatSeries, type Labels } from './labels';
import { divideFilter, matchesFilter } from './matchText';
import { formatBytes, formatCount, formatExact, formatNumber, formatPercent } from './number';
import { findReferences } from './references';
import { severityOf } from './severity';
import { formatUtc, parseTime } from './time';

describe('numbers', () => {
  it('writes bytes in powers of 1024', () => {
    const check = (value: number, want: string) => expect(formatBytes(value)).toBe(want);
    check(0, '0 B');
    check(1023, '1023 B');
    check(1024, '1 KiB');
    check(1536, '1.5 KiB');
    check(-2048, '-2 KiB');
    check(25_202_098_176, '23.5 GiB');
    check(NaN, 'NaN');
    check(Infinity, '+Inf');
  });

  it('writes numbers with three significant digits', () => {
    const check = (value: number, want: string) => expect(formatNumber(value)).toBe(want);
    check(0, '0');
    check(0.5, '0.5');
    check(0.000364123, '0.000364');
    check(12.345, '12.3');
    check(999.6, '1000');
    check(12_345, '12.3 k');
    check(4_800_000, '4.8 M');
    check(-1500, '-1.5 k');
    check(-Infinity, '-Inf');
  });

  it('writes ratios as percent, samples in full, counts with their noun', () => {
    expect(formatPercent(0.1234)).toBe('12.3 %');
    expect(formatPercent(1)).toBe('100 %');
    expect(formatExact(0.1 + 0.2)).toBe('0.30000000000000004');
    expect(formatCount(1, 'alert')).toBe('1 alert');
    expect(formatCount(0, 'alert')).toBe('0 alerts');
    expect(formatCount(12_000, 'series', 'series')).toBe('12,000 series');
  });
});

describe('durations', () => {
  it('writes at most two units that lie side by side', () => {
    const check = (seconds: number, want: string) => expect(formatDuration(seconds)).toBe(want);
    check(0, '0s');
    check(0.000045, '45 µs');
    check(0.0123, '12.3 ms');
    check(1.25, '1.3s');
    check(59, '59s');
    check(90, '1m 30s');
    check(3_600, '1h');
    check(86_403, '1d');
    check(93_784, '1d 2h');
    check(-5, '-5s');
    check(NaN, '–');
  });

  it('drops seconds from the first minute on', () => {
    expect([0, 59, 60, 119, 3_661].map(coarse)).toEqual([0, 59, 60, 60, 3_660]);
  });

  it('reads what Prometheus reads, and seconds', () => {
    const check = (text: string, want: number | null) => expect(parseDuration(text)).toBe(want);
    check('15s', 15);
    check('1h30m', 5_400);
    check('500ms', 0.5);
    check('1w', 604_800);
    check('2.5', 2.5);
    check(' 5m ', 300);
    check('', null);
    check('0', null);
    check('0s', null);
    check('5 minutes', null);
    check('30m1h', null);
  });

  it('reads back what it writes', () => {
    for (const seconds of [0.25, 1, 59, 60, 90, 3_600, 5_400, 86_400, 90_061.5, 2_419_200]) {
      expect(parseDuration(writeDuration(seconds))).toBe(seconds);
    }
  });
});

describe('times', () => {
  it('knows never', () => {
    expect(parseTime('0001-01-01T00:00:00Z')).toBeNull();
    expect(parseTime(null)).toBeNull();
    expect(parseTime('')).toBeNull();
    expect(parseTime('1970-01-01T00:00:01.500Z')).toBe(1500);
    expect(formatUtc(1500)).toBe('1970-01-01 00:00:01 UTC');
  });
});

describe('labels', () => {
  it('writes series as PromQL', () => {
    const check = (labels: Labels, want: string) => expect(formatSeries(labels)).toBe(want);
    check({}, '{}');
    check({ __name__: 'up' }, 'up');
    check({ __name__: 'up', job: 'web', a: '1' }, 'up{a="1", job="web"}');
    check({ job: 'a"b\\c\nd' }, '{job="a\\"b\\\\c\\nd"}');
    check({ __name__: 'http.requests', 'k.v': 'x' }, '{__name__="http.requests", "k.v"="x"}');
  });

  it('filters by words and matchers', () => {
    const labels = { alertname: 'DiskFull', instance: 'db-1:9100', severity: 'critical' };
    const check = (filter: string, want: boolean) => expect(matchesFilter(filter, labels, 'Disk of db-1')).toBe(want);
    check('', true);
    check('disk', true);
    check('DISK db-1', true);
    check('disk web', false);
    check('severity="critical"', true);
    check('severity=critical', true);
    check('severity!="critical"', false);
    check('instance=~"db-.*"', true);
    check('instance=~"db"', false);
    check('instance!~"web.*"', true);
    check('{alertname="DiskFull", severity="critical"}', true);
    check('instance=~"("', false);
    check('nosuch=""', true);
  });

  it('tells severities as the server does', () => {
    const check = (labels: Labels, want: string) => expect(severityOf(labels)).toBe(want);
    check({}, 'medium');
    check({ severity: 'page' }, 'critical');
    check({ severity: 'WARNING' }, 'medium');
    check({ priority: 'p1' }, 'high');
    check({ severity: 'info', priority: 'p0' }, 'low');
    check({ severity: 'purple' }, 'medium');
  });
});

it('divides a filter into matchers and words', () => {
  const check = (filter: string, matchers: string[], words: string) =>
    expect(divideFilter(filter)).toEqual({ matchers, words });
  check('', [], '');
  check('disk full', [], 'disk full');
  check('alertname=DiskFull', ['alertname="DiskFull"'], '');
  check('{a="b", c=~"d|e"} word', ['a="b"'], 'c=~"d|e"} word');
  check('{a="b", c!~"d|e"}', ['a="b"', 'c!~"d|e"'], '');
  check('a="x \\"y\\""', ['a="x \\"y\\""'], '');
});

it('finds moments, alerts and silences in sentences', () => {
  const check = (text: string, want: string) =>
    expect(findReferences(text).map((part) => `${part.kind}:${part.text}`).join('|')).toBe(want);
  check('', '');
  check('not told', 'text:not told');
  check('told at 2026-11-20T00:00:30.000Z; again', 'text:told at |moment:2026-11-20T00:00:30.000Z|text:; again');
  check('HostDown inhibits it (71b4cdc6c3b1d09c)', 'text:HostDown inhibits it (|alert:71b4cdc6c3b1d09c|text:)');
  check(
    'silenced by 9c0d6f7e-5d5c-4a53-9a3e-3f0f5d1c7b10',
    'text:silenced by |silence:9c0d6f7e-5d5c-4a53-9a3e-3f0f5d1c7b10',
  );
  check('for 71b4cdc6c3b1d09c', 'text:for 71b4cdc6c3b1d09c');
});
