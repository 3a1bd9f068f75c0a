// What is still missing before a silence can be made, in the order of the form.
import type { Matcher } from '../../api/alertmanager';

interface Draft {
  readonly matchers: readonly Matcher[];
  readonly seconds: number | null;
  readonly comment: string;
  readonly person: string;
}

/** Null where nothing is. The server judges the rest. */
export function problemOf({ matchers, seconds, comment, person }: Draft): string | null {
  if (matchers.length === 0 || matchers.some((matcher) => matcher.name === '')) return 'Every matcher needs a label.';
  if (!matchers.some((matcher) => matcher.isEqual && matcher.value !== '')) {
    return 'At least one matcher must ask for a value, or everything would be silenced.';
  }
  if (seconds === null) return 'A duration is written as 2h or 1d12h.';
  if (person.trim() === '') return 'Say who you are.';
  if (comment.trim() === '') return 'Say why.';
  return null;
}
