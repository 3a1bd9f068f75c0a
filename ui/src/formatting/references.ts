// Sentences of the server name moments, alerts and silences: where in a text they stand, so that the page can show
// moments in local time and lead to the rest.

export interface Part {
  readonly kind: 'text' | 'moment' | 'alert' | 'silence';
  readonly text: string;
}

// RFC 3339 in UTC; a silence's UUID; a fingerprint in parentheses, which no word of a sentence resembles.
const REFERENCE =
  /(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z)|\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12})\b|(?<=\()([0-9a-f]{16})(?=\))/g;

/** Cuts a text into references and what stands between them. */
export function findReferences(text: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of text.matchAll(REFERENCE)) {
    const [whole, moment, silence] = match;
    if (match.index > end) parts.push({ kind: 'text', text: text.slice(end, match.index) });
    const kind = moment !== undefined ? 'moment' : silence !== undefined ? 'silence' : 'alert';
    parts.push({ kind, text: whole });
    end = match.index + whole.length;
  }
  if (end < text.length) parts.push({ kind: 'text', text: text.slice(end) });
  return parts;
}
