// A value that follows once it has stood still for a moment: what is typed is not asked for letter by letter.
import { useEffect, useState } from 'react';

const PAUSE_MS = 300;

export function useDebounced<Value>(value: Value): Value {
  const [settled, setSettled] = useState(value);
  useEffect(() => {
    const timer = setTimeout(() => setSettled(value), PAUSE_MS);
    return () => clearTimeout(timer);
  }, [value]);
  return settled;
}
