// Label sets as text, in PromQL's notation.

export type Labels = Readonly<Record<string, string>>;

const PLAIN_NAME = /^[a-zA-Z_:][a-zA-Z0-9_:]*$/;

/** Quotes a label value as PromQL reads it. */
export function quoteValue(value: string): string {
  return `"${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`;
}

/** Label pairs by name; `__name__` only where asked for. */
export function sortedPairs(labels: Labels, skip: readonly string[] = []): [string, string][] {
  return Object.entries(labels)
    .filter(([name]) => !skip.includes(name))
    .sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0));
}

/** `up{job="web"}`; `{}` for no labels. */
export function formatSeries(labels: Labels): string {
  const name = labels['__name__'] ?? '';
  const plain = PLAIN_NAME.test(name);
  const pairs = sortedPairs(labels, plain ? ['__name__'] : []).map(
    ([label, value]) => `${PLAIN_NAME.test(label) ? label : quoteValue(label)}=${quoteValue(value)}`,
  );
  if (pairs.length === 0) return plain ? name : '{}';
  return `${plain ? name : ''}{${pairs.join(', ')}}`;
}
