// Long lists show their beginning, say how long they are, and grow when asked: thousands of lines at once
// make a page slow and help nobody.
import { Button } from '@mantine/core';
import { useState, type ReactNode } from 'react';

interface Capped<Item> {
  readonly shown: readonly Item[];
  /** Goes below the list; null where everything is shown. */
  readonly more: ReactNode;
}

/** Shows `count` items at first and as many more each time. */
export function useCapped<Item>(items: readonly Item[], count: number): Capped<Item> {
  const [limit, setLimit] = useState(count);
  if (items.length <= limit) return { shown: items, more: null };
  const more = (
    <div className="capped row">
      <span className="dim">
        Showing {limit.toLocaleString('en')} of {items.length.toLocaleString('en')}.
      </span>
      <Button size="compact-sm" variant="default" onClick={() => setLimit(limit + count)}>
        Show more
      </Button>
    </div>
  );
  return { shown: items.slice(0, limit), more };
}
