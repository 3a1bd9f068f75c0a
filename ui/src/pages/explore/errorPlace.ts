// Where in a query an error lies, told from its message (`1:5: parse error: …`).

export interface ErrorPlace {
  readonly line: string;
  /** Spaces before the mark. */
  readonly column: number;
  /** The message without the place. */
  readonly message: string;
}

const PLACE = /(?:^|\s)(\d+):(\d+):\s*(?:parse error:\s*)?([\s\S]*)$/;

/** Null where the message names no place in this query. */
export function errorPlace(message: string, query: string): ErrorPlace | null {
  const match = PLACE.exec(message);
  if (match === null) return null;
  const line = query.split('\n')[Number(match[1]) - 1];
  const column = Number(match[2]) - 1;
  if (line === undefined || column < 0 || column > line.length) return null;
  return { line, column, message: match[3] ?? message };
}
