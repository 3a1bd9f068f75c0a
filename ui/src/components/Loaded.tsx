// The three states of something asked for: not there yet, failed without ever having been there, there.
// What was there once stays on the page while the server is away.
import { Skeleton } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { UnreachableError } from '../api/http';
import { Banner } from './Banner';

interface LoadedProps<Data> {
  readonly query: UseQueryResult<Data>;
  /** Reserved while it loads. */
  readonly height: number;
  readonly children: (data: Data) => ReactNode;
}

export function Loaded<Data>({ query, height, children }: LoadedProps<Data>) {
  const { data, error } = query;
  if (data !== undefined) {
    const stale = error !== null && !(error instanceof UnreachableError);
    return (
      <>
        {stale && <Banner tone="medium" title={`Not up to date: ${error.message}`} />}
        {children(data)}
      </>
    );
  }
  if (error !== null && !(error instanceof UnreachableError)) {
    return <Banner tone="high" title={error.message} />;
  }
  return (
    <div role="status" aria-label="Loading">
      <Skeleton height={height} />
    </div>
  );
}
