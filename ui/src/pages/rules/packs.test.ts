// Where rule packs stand, in words.
import { expect, it } from 'vitest';
import type { Pack } from '../../api/packs';
import { metricsText, missingMetrics, packCommand, packState } from './packState';

const pack = (change: Partial<Pack>): Pack => ({
  name: 'host',
  watches: 'disks',
  alerts: 12,
  recordings: 3,
  metrics: ['a', 'b'],
  runbook: '/runbooks/host',
  file: null,
  groups: 0,
  ...change,
});

it('says where a pack stands and how to change that', () => {
  const check = (change: Partial<Pack>, word: string, command: string) => {
    expect(packState(pack(change)).word).toBe(word);
    expect(packCommand(pack(change))).toBe(command);
  };
  check({}, 'off', 'binnacle pack enable host --reload');
  check({ file: 'packs/host.yml', groups: 2 }, 'enabled', 'binnacle pack disable host --reload');
  check({ file: 'packs/host.yml' }, 'not evaluated', 'binnacle pack disable host --reload');
});

it('says whether the metrics are there', () => {
  const check = (present: string[] | undefined, text: string, missing: string) => {
    const names = present === undefined ? undefined : new Set(present);
    expect(metricsText(pack({}), names)).toBe(text);
    expect(missingMetrics(pack({}), names).join(' ')).toBe(missing);
  };
  check(undefined, '2 metrics', '');
  check([], 'none of its 2 metrics is there', 'a b');
  check(['a', 'x'], '1 of its 2 metrics is there', 'b');
  check(['a', 'b'], 'all 2 metrics are there', '');
});
