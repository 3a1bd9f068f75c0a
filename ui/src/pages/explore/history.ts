// The queries asked last in this browser, the newest first.

const KEY = 'binnacle.queries';
const KEPT_MAX = 30;

/** Puts a query in front; one that was there moves. */
export function withQuery(queries: readonly string[], query: string): string[] {
  return [query, ...queries.filter((one) => one !== query)].slice(0, KEPT_MAX);
}

export function recentQueries(): string[] {
  try {
    const stored: unknown = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(stored) ? stored.filter((one) => typeof one === 'string') : [];
  } catch {
    return [];
  }
}

export function rememberQuery(query: string): void {
  try {
    localStorage.setItem(KEY, JSON.stringify(withQuery(recentQueries(), query)));
  } catch {
    // Storage may be switched off or full; then nothing is remembered.
  }
}
