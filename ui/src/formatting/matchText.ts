// Whether a label set is what somebody types into a filter: words that must occur, or matchers as in PromQL.
import { quoteValue, type Labels } from './labels';

interface Term {
  readonly name: string;
  readonly operator: string;
  readonly value: string;
}

const TERM = /^([a-zA-Z_][\w.:]*)\s*(=~|!~|!=|=)\s*(?:"((?:[^"\\]|\\.)*)"|([^\s",]*))$/;

/** Splits at spaces and commas outside quotes, and drops braces around the whole. */
function split(text: string): string[] {
  const inner = text.trim().replace(/^\{/, '').replace(/\}$/, '');
  return inner.match(/(?:[^\s,"]|"(?:[^"\\]|\\.)*")+/g) ?? [];
}

function parseTerm(word: string): Term | null {
  const match = TERM.exec(word);
  if (match === null) return null;
  const [, name = '', operator = '', quoted, plain] = match;
  const value = quoted === undefined ? (plain ?? '') : quoted.replace(/\\(.)/g, '$1');
  return { name, operator, value };
}

function termHolds({ name, operator, value }: Term, labels: Labels): boolean {
  const found = labels[name] ?? '';
  switch (operator) {
    case '=':
      return found === value;
    case '!=':
      return found !== value;
    default: {
      const matched = matchesWhole(value, found);
      return operator === '=~' ? matched : !matched;
    }
  }
}

/** Whether the pattern matches from end to end; one that is not finished yet matches nothing. */
export function matchesWhole(pattern: string, text: string): boolean {
  try {
    return new RegExp(`^(?:${pattern})$`).test(text);
  } catch {
    return false;
  }
}

/** Divides a filter into its matchers, as the server reads them, and the words that are left. */
export function divideFilter(filter: string): { readonly matchers: string[]; readonly words: string } {
  const matchers: string[] = [];
  const words = split(filter).filter((word) => {
    const term = parseTerm(word);
    if (term !== null) matchers.push(`${term.name}${term.operator}${quoteValue(term.value)}`);
    return term === null;
  });
  return { matchers, words: words.join(' ') };
}

/** Every word must hold: as a matcher, or as a part of a label or of `text`, whatever its case. */
export function matchesFilter(filter: string, labels: Labels, text = ''): boolean {
  const words = split(filter);
  if (words.length === 0) return true;
  const whole = [text, ...Object.entries(labels).map(([name, value]) => `${name}=${value}`)].join('\n').toLowerCase();
  return words.every((word) => {
    const term = parseTerm(word);
    return term === null ? whole.includes(word.replaceAll('"', '').toLowerCase()) : termHolds(term, labels);
  });
}
