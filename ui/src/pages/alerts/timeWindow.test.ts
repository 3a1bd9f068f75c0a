// The window of a recurring silence: form, entry of time_intervals, words; and where a refusal belongs.
import { describe, expect, it } from 'vitest';
import type { TimeWindow } from '../../api/silences';
import { refusedField } from './refusedField';
import { summaryOf } from './previewText';
import { describeWindow, emptyDraft, toDraft, toWindow, WEEKDAYS, windowProblem, type WindowDraft } from './timeWindow';

const draft = (change: Partial<WindowDraft>): WindowDraft => ({
  weekdays: [],
  times: [],
  daysOfMonth: '',
  months: '',
  years: '',
  location: '',
  ...change,
});

describe('windows', () => {
  it('are made from the form and fill it again', () => {
    const check = (change: Partial<WindowDraft>, want: TimeWindow) => {
      const window = toWindow(draft(change));
      expect(window).toEqual(want);
      expect(toWindow(toDraft(window) ?? draft({}))).toEqual(want);
    };
    check({}, {});
    check({ weekdays: ['saturday'] }, { weekdays: ['saturday'] });
    check({ weekdays: ['monday', 'tuesday', 'wednesday', 'friday'] }, { weekdays: ['monday:wednesday', 'friday'] });
    // Alertmanager's weeks begin on Sunday.
    check({ weekdays: ['saturday', 'sunday'] }, { weekdays: ['sunday', 'saturday'] });
    check({ weekdays: [...WEEKDAYS] }, {});
    check(
      { times: [{ start: '22:00', end: '00:00' }, { start: '00:00', end: '06:00' }], location: 'Europe/Berlin' },
      {
        times: [
          { start_time: '22:00', end_time: '24:00' },
          { start_time: '00:00', end_time: '06:00' },
        ],
        location: 'Europe/Berlin',
      },
    );
    check(
      { daysOfMonth: ' 1:7, -1 ', months: 'june:august', years: '2026 : 2027,' },
      { days_of_month: ['1:7', '-1'], months: ['june:august'], years: ['2026:2027'] },
    );
  });

  it('that the form cannot show are left as text', () => {
    const check = (window: TimeWindow | string) => expect(toDraft(window)).toBeNull();
    check('{weekdays: [saturday]}');
    check({ weekdays: ['someday'] });
    check({ weekdays: ['friday:monday'] });
  });

  it('are told in words', () => {
    const check = (window: TimeWindow | string, want: string) => expect(describeWindow(window)).toBe(want);
    check({}, 'every day all day, UTC');
    check('{weekdays: [saturday]}', '{weekdays: [saturday]}');
    check(
      { weekdays: ['saturday'], times: [{ start_time: '02:00', end_time: '04:00' }], location: 'Europe/Berlin' },
      'Sat 02:00–04:00, Europe/Berlin',
    );
    check({ weekdays: ['monday:friday'], days_of_month: ['1:7', '-1'] }, 'Mon–Fri, day 1–7, the last of the month, all day, UTC');
    check({ days_of_month: ['-7:-1'] }, 'day 7 from the end–the last of the month all day, UTC');
    check({ months: ['june:august'], years: ['2026'] }, 'in June–August, 2026, all day, UTC');
  });

  it('lack something, or not', () => {
    const check = (change: Partial<WindowDraft>, want: string | null) =>
      expect(windowProblem(draft(change))?.field ?? null).toBe(want);
    check({}, 'times');
    check({ location: 'UTC' }, 'times');
    check({ weekdays: [...WEEKDAYS] }, 'times');
    check({ weekdays: ['monday'] }, null);
    check({ months: 'june' }, null);
    check({ times: [{ start: '', end: '' }] }, 'times');
    check({ times: [{ start: '22:00', end: '06:00' }] }, 'times');
    check({ times: [{ start: '22:00', end: '00:00' }] }, null);
    expect(windowProblem(emptyDraft('Europe/Berlin'))).toBeNull();
  });
});

it('finds the field that a refusal is about', () => {
  const check = (message: string, want: string | null) => expect(refusedField(message)).toBe(want);
  check('createdBy is required', 'person');
  check('comment is required', 'comment');
  check('until "x": failed to parse', 'until');
  check('window:1:14: unknown time zone Atlantis', 'location');
  check('window:1:3: someday is not a valid weekday', 'weekdays');
  check('window:1:3: 32 is not a valid day of the month: out of range', 'daysOfMonth');
  check('window:1:3: end day 1 is always before start day 7', 'daysOfMonth');
  check('window:1:3: marz is not a valid month', 'months');
  check('window:1:3: end year 2020 is before start year 2026', 'years');
  check("window:1:3: couldn't parse timestamp 25:00, invalid format", 'times');
  check("window:1:3: couldn't parse range a:b:c, invalid format", 'window');
  check('at least one matcher must not match the empty string', 'matchers');
  check('the database failed', null);
});

it('says whom a silence mutes', () => {
  const check = (firing: number, alerts: number, want: string) =>
    expect(summaryOf({ since: '', firing, alerts, list: [] })).toBe(want);
  check(0, 0, 'It mutes nobody: no such alert fires, and none did in the last 30 days.');
  check(0, 3, 'It mutes no alert now; in the last 30 days it would have muted 3.');
  check(1, 1, 'It mutes 1 alert now; in the last 30 days it would have muted 1.');
  check(2, 1234, 'It mutes 2 alerts now; in the last 30 days it would have muted 1,234.');
});
