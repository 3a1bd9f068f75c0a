// Which field of the form for a recurring silence a refusal of the server is about.
import type { WindowField } from './timeWindow';

export type Field = WindowField | 'matchers' | 'until' | 'person' | 'comment' | 'window';

/** Read from top to bottom; the first that fits. */
const SIGNS: readonly (readonly [RegExp, Field])[] = [
  [/^createdBy\b/, 'person'],
  [/^comment\b/, 'comment'],
  [/^until\b/, 'until'],
  [/time zone/, 'location'],
  [/weekday|start day cannot/, 'weekdays'],
  [/day of the month|\bday -?\d|end day/, 'daysOfMonth'],
  [/month/, 'months'],
  [/\byear/, 'years'],
  [/\btimes?\b|timestamp/, 'times'],
  [/^window\b/, 'window'],
  [/matcher|regex|label name/, 'matchers'],
];

/** Null where the message is about nothing in particular. */
export function refusedField(message: string): Field | null {
  return SIGNS.find(([sign]) => sign.test(message))?.[1] ?? null;
}
