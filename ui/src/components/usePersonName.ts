// Who acts, remembered in the browser: the author of silences, notes and acknowledgements.
import { useCallback, useState } from 'react';

const KEY = 'binnacle.person';

function remembered(): string {
  try {
    return localStorage.getItem(KEY) ?? '';
  } catch {
    return '';
  }
}

export function usePersonName(): [string, (name: string) => void] {
  const [name, setName] = useState(remembered);
  const change = useCallback((next: string) => {
    setName(next);
    try {
      localStorage.setItem(KEY, next);
    } catch {
      // Storage may be switched off; the name then holds for this page only.
    }
  }, []);
  return [name, change];
}
