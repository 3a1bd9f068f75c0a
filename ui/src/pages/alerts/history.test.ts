// The time that the history is asked for.
import { expect, it } from 'vitest';
import { historyRange } from './historyRange';

it('asks for the time that was chosen', () => {
  const now = Date.parse('2026-11-20T12:00:00Z');
  const seconds = (text: string) => Date.parse(text) / 1000;
  const check = (span: string, from: string, to: string, want: { start: number; end?: number }) =>
    expect(historyRange({ span, from, to }, now)).toEqual(want);
  check('1h', '', '', { start: seconds('2026-11-20T11:00:00Z') });
  check('30d', 'ignored', '', { start: seconds('2026-10-21T12:00:00Z') });
  check('nonsense', '', '', { start: seconds('2026-11-19T12:00:00Z') });
  check('custom', '', '', { start: seconds('2026-11-19T12:00:00Z') });
  check('custom', '2026-11-10T00:00Z', '', { start: seconds('2026-11-10T00:00Z') });
  check('custom', '', '2026-11-10T00:00Z', { start: seconds('2026-11-09T00:00Z'), end: seconds('2026-11-10T00:00Z') });
  check('custom', '2026-11-11T00:00Z', '2026-11-10T00:00Z', {
    start: seconds('2026-11-10T00:00Z'),
    end: seconds('2026-11-11T00:00Z'),
  });
});
