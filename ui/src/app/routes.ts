// Which page an address leads to. Addresses of Prometheus and Alertmanager lead to the page that took over.

export type Route =
  | { readonly page: 'overview' | 'explore' | 'alerts' | 'incidents' | 'targets' | 'rules' }
  | { readonly page: 'alert'; readonly fingerprint: string }
  | { readonly page: 'incident'; readonly id: string }
  | { readonly page: 'unknown' };

/** An address without origin. */
export interface Place {
  readonly path: string;
  readonly search: string;
  readonly hash: string;
}

/** Says where an address of Prometheus or Alertmanager has moved to; null where it has not. */
export function movedTo(place: Place): string | null {
  const fragment = /^#\/(alerts|silences|status)(\/[^?]*)?(\?.*)?$/.exec(place.hash);
  if (place.path === '/' && fragment !== null) {
    const [, page, rest = '', search = ''] = fragment;
    return page === 'silences' ? silences(rest.slice(1), search) : alerts(page ?? '', search);
  }
  switch (trimmed(place.path)) {
    case '/graph':
    case '/query':
    case '/new/graph':
      return `/explore${place.search}`;
    case '/status':
    case '/index.html':
      return '/';
    default:
      return null;
  }
}

/** `#/alerts?filter={a="b"}` shows what fulfils the filter; `#/status` is nothing that this page has in one place. */
function alerts(page: string, search: string): string {
  if (page === 'status') return '/';
  const filter = new URLSearchParams(search).get('filter');
  return filter === null || filter === '' ? '/alerts' : `/alerts?filter=${encodeURIComponent(filter)}`;
}

/** `#/silences`, `#/silences/new?filter=…`, `#/silences/ID` and `#/silences/ID/edit`. */
function silences(rest: string, search: string): string {
  const all = '/alerts?view=silences';
  const filter = new URLSearchParams(search).get('filter') ?? '';
  const [id = ''] = rest.split('/');
  if (id === 'new') return `${all}&new=${encodeURIComponent(filter === '' ? '{}' : filter)}`;
  if (id !== '') return `${all}&filter=${encodeURIComponent(decode(id))}`;
  return filter === '' ? all : `${all}&filter=${encodeURIComponent(filter)}`;
}

export function matchRoute(path: string): Route {
  const parts = trimmed(path).split('/').slice(1);
  const [first = '', second] = parts;
  if (parts.length > 2) return { page: 'unknown' };
  if (first === 'alerts' && second !== undefined) return { page: 'alert', fingerprint: decode(second) };
  if (first === 'incidents' && second !== undefined) return { page: 'incident', id: decode(second) };
  if (second !== undefined) return { page: 'unknown' };
  switch (first) {
    case '':
      return { page: 'overview' };
    case 'explore':
    case 'alerts':
    case 'incidents':
    case 'targets':
    case 'rules':
      return { page: first };
    default:
      return { page: 'unknown' };
  }
}

function trimmed(path: string): string {
  return path.length > 1 && path.endsWith('/') ? path.slice(0, -1) : path;
}

function decode(part: string): string {
  try {
    return decodeURIComponent(part);
  } catch {
    return part;
  }
}
