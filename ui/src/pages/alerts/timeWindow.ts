// The window of a recurring silence: from the form to an entry of Alertmanager's time_intervals, back, and in words.
import type { TimeWindow } from '../../api/silences';

/** Monday first, as calendars of most places have it. */
export const WEEKDAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
/** As Alertmanager counts them: ranges go from Sunday to Saturday. */
const FROM_SUNDAY = ['sunday', 'monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday'];

export type Weekday = (typeof WEEKDAYS)[number];

/** What the form holds; texts are lists of ranges divided by commas. */
export interface WindowDraft {
  readonly weekdays: readonly Weekday[];
  readonly times: readonly TimeDraft[];
  readonly daysOfMonth: string;
  readonly months: string;
  readonly years: string;
  readonly location: string;
}

/** `HH:MM`, as a field for a time holds it; `00:00` as an end is the end of the day. */
export interface TimeDraft {
  readonly start: string;
  readonly end: string;
}

export const emptyDraft = (location: string): WindowDraft => ({
  weekdays: ['saturday'],
  times: [{ start: '02:00', end: '04:00' }],
  daysOfMonth: '',
  months: '',
  years: '',
  location,
});

const ranges = (text: string): string[] =>
  text
    .split(',')
    .map((range) => range.trim().replace(/\s*(?:–|\.\.|:)\s*/, ':'))
    .filter((range) => range !== '');

/** What is sent. All days, and no days, do not restrict. */
export function toWindow(draft: WindowDraft): TimeWindow {
  const { weekdays, times, location } = draft;
  const all = weekdays.length === 0 || weekdays.length === WEEKDAYS.length;
  const lists = {
    weekdays: all ? [] : weekdayRanges(weekdays),
    times: times.map(({ start, end }) => ({ start_time: start, end_time: end === '00:00' ? '24:00' : end })),
    days_of_month: ranges(draft.daysOfMonth),
    months: ranges(draft.months),
    years: ranges(draft.years),
  };
  const given = Object.entries(lists).filter(([, list]) => list.length > 0);
  return { ...Object.fromEntries(given), ...(location === '' ? {} : { location }) };
}

/** Days side by side become ranges: `monday:friday`. */
function weekdayRanges(days: readonly string[]): string[] {
  const found: string[] = [];
  for (let first = 0; first < FROM_SUNDAY.length; first += 1) {
    if (!days.includes(FROM_SUNDAY[first] ?? '')) continue;
    let last = first;
    while (days.includes(FROM_SUNDAY[last + 1] ?? '')) last += 1;
    found.push(last === first ? (FROM_SUNDAY[first] ?? '') : `${FROM_SUNDAY[first]}:${FROM_SUNDAY[last]}`);
    first = last;
  }
  return found;
}

/** The days that ranges name; null where one is none. */
function weekdaysOf(list: readonly string[]): Weekday[] | null {
  const chosen = new Set<string>();
  for (const range of list) {
    const [first = '', last = first] = range.toLowerCase().split(':');
    const [from, to] = [FROM_SUNDAY.indexOf(first), FROM_SUNDAY.indexOf(last)];
    if (from < 0 || to < from) return null;
    for (const day of FROM_SUNDAY.slice(from, to + 1)) chosen.add(day);
  }
  return WEEKDAYS.filter((day) => chosen.has(day));
}

/** Fills the form; null for a window that the form cannot show, such as one that was written as YAML. */
export function toDraft(window: TimeWindow | string): WindowDraft | null {
  if (typeof window === 'string') return null;
  const weekdays = window.weekdays === undefined ? [...WEEKDAYS] : weekdaysOf(window.weekdays);
  if (weekdays === null) return null;
  return {
    weekdays,
    times: (window.times ?? []).map(({ start_time: start, end_time: end }) => ({ start, end: end === '24:00' ? '00:00' : end })),
    daysOfMonth: (window.days_of_month ?? []).join(', '),
    months: (window.months ?? []).join(', '),
    years: (window.years ?? []).join(', '),
    location: window.location ?? '',
  };
}

const upper = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);

/** `1:7` → `1–7`; days from the end: `-1` → `the last`, `-7:-1` → `7 from the end–the last`. */
function ofMonth(range: string): string {
  const day = (text: string): string => {
    const back = Number(text) < 0 ? -Number(text) : 0;
    if (back === 0) return text;
    return back === 1 ? 'the last' : `${back} from the end`;
  };
  return range.split(':').map(day).join('–');
}

/** `Sat 02:00–04:00, Europe/Berlin`. */
export function describeWindow(window: TimeWindow | string): string {
  if (typeof window === 'string') return window;
  const times = (window.times ?? []).map((time) => `${time.start_time}–${time.end_time}`).join(' and ');
  const range = (text: string): string => text.split(':').map(upper).join('–');
  const days = (window.weekdays ?? []).map((text) => text.split(':').map((day) => upper(day).slice(0, 3)).join('–'));
  const monthDays = (window.days_of_month ?? []).map(ofMonth).join(', ');
  const months = (window.months ?? []).map(range).join(', ');
  const parts = [
    days.join(', '),
    monthDays === '' ? '' : `day ${monthDays} of the month`,
    months === '' ? '' : `in ${months}`,
    (window.years ?? []).map(range).join(', '),
  ].filter((part) => part !== '');
  const dates = parts.length === 0 ? 'every day' : parts.join(', ');
  const zone = window.location === undefined || window.location === '' ? 'UTC' : window.location;
  return `${dates}${parts.length > 1 ? ', ' : ' '}${times === '' ? 'all day' : times}, ${zone}`;
}

/** The part of the form that a message is about. */
export type WindowField = 'weekdays' | 'times' | 'daysOfMonth' | 'months' | 'years' | 'location';

/** What can be said before anything is sent; the server judges the rest. Null where nothing is wrong. */
export function windowProblem(draft: WindowDraft): { readonly field: WindowField; readonly text: string } | null {
  for (const { start, end } of draft.times) {
    if (start === '' || end === '') return { field: 'times', text: 'Each time needs a beginning and an end.' };
    if (end !== '00:00' && end <= start) {
      return { field: 'times', text: 'A time ends on its own day: for a night, add one until 00:00 and one from 00:00.' };
    }
  }
  const window = toWindow(draft);
  const restricts = Object.keys(window).some((name) => name !== 'location');
  if (!restricts) return { field: 'times', text: 'Choose days or times, or it would hold always.' };
  return null;
}
