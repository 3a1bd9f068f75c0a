// Runs what the address asks: a range query for the graph, an instant query for the table.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { queryInstant, queryRange, type Answer, type Range } from '../../api/query';
import { formatDuration } from '../../formatting/duration';
import { formatCount } from '../../formatting/number';
import type { ExploreState } from './address';
import { stepFor } from './step';

export interface ExploreAnswer {
  readonly data: { readonly answer: Answer; readonly range: Range } | undefined;
  readonly error: Error | null;
  readonly isFetching: boolean;
  /** What is shown answers the question before this one. */
  readonly isOld: boolean;
  /** How much came and how long it took. */
  readonly summary: string;
}

/** `run` counts how often somebody asked: asking the same again is a new question. */
export function useExploreQuery(state: ExploreState, run: number): ExploreAnswer {
  const { data, error, isFetching, isPlaceholderData } = useQuery({
    queryKey: ['explore', state, run],
    enabled: state.query.trim() !== '',
    staleTime: Infinity,
    gcTime: 0,
    // The graph stays until the next one is there, so that nothing jumps.
    placeholderData: keepPreviousData,
    refetchOnWindowFocus: false,
    queryFn: async ({ signal }) => {
      const end = state.endSeconds ?? Math.floor(Date.now() / 1000);
      const range = { start: end - state.rangeSeconds, end, step: stepFor(state) };
      const began = performance.now();
      const answer =
        state.view === 'graph'
          ? await queryRange(state.query, range, signal)
          : await queryInstant(state.query, end, signal);
      return { answer, range, seconds: (performance.now() - began) / 1000 };
    },
  });
  return { data, error, isFetching, isOld: isPlaceholderData, summary: data === undefined ? '' : summarize(data) };
}

function summarize({ answer, range, seconds }: { answer: Answer; range: Range; seconds: number }): string {
  const { result } = answer;
  const took = formatDuration(Number(seconds.toPrecision(2)));
  if (result.kind === 'samples') return `${formatCount(result.samples.length, 'series', 'series')}, ${took}`;
  const count = formatCount(result.series.length, 'series', 'series');
  return `${count}, a point every ${formatDuration(range.step)}, ${took}`;
}
