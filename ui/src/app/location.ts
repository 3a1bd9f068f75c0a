// The address bar as state: read it, change it, follow the back button.
import { useCallback, useSyncExternalStore } from 'react';
import type { Place } from './routes';

const listeners = new Set<() => void>();

function notify(): void {
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  window.addEventListener('popstate', listener);
  window.addEventListener('hashchange', listener);
  return () => {
    listeners.delete(listener);
    window.removeEventListener('popstate', listener);
    window.removeEventListener('hashchange', listener);
  };
}

/** Goes to an address of this page. `replace` leaves no step for the back button. */
export function navigate(to: string, how: 'push' | 'replace' = 'push'): void {
  if (how === 'replace') window.history.replaceState(null, '', to);
  else window.history.pushState(null, '', to);
  notify();
}

const currentText = (): string => window.location.pathname + window.location.search + window.location.hash;

/** The present address. */
export function usePlace(): Place {
  const text = useSyncExternalStore(subscribe, currentText);
  const url = new URL(text, 'http://page');
  return { path: url.pathname, search: url.search, hash: url.hash };
}

/** One parameter of the address, and how to change it; the default is not written. */
export function useParameter(name: string, defaultValue: string): [string, (value: string) => void] {
  const place = usePlace();
  const value = new URLSearchParams(place.search).get(name) ?? defaultValue;
  const change = useCallback(
    (next: string) => {
      const parameters = new URLSearchParams(window.location.search);
      if (next === defaultValue) parameters.delete(name);
      else parameters.set(name, next);
      const search = parameters.toString();
      navigate(window.location.pathname + (search === '' ? '' : `?${search}`), 'replace');
    },
    [name, defaultValue],
  );
  return [value, change];
}
