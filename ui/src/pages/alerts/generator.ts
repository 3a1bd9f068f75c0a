// From an alert's generatorURL, which may name another server, to the same query in Explore here.

/** Null where the address holds no query. */
export function exploreOfGenerator(generator: string | undefined): string | null {
  if (generator === undefined || generator === '') return null;
  try {
    const url = new URL(generator, 'http://page');
    return url.searchParams.has('g0.expr') ? `/explore${url.search}` : null;
  } catch {
    return null;
  }
}
