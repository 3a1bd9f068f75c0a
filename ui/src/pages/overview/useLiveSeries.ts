// Range queries that are asked again every few seconds. What was there stays until the next answer is.
import { keepPreviousData, useQuery, type UseQueryResult } from '@tanstack/react-query';
import { queryRange, type Series } from '../../api/query';
import { liveInterval } from '../../api/polling';
import { rangeUntil, toColumns, type Columns } from '../../charts/columns';
import { queryOf, type Panel, type Span } from './panels';

/** The panel's lines over the span, each as one column. */
export function useLivePanel(panel: Panel, span: Span, isShown: boolean): UseQueryResult<Columns> {
  return useQuery({
    queryKey: ['panel', panel.title, span.name],
    enabled: isShown,
    placeholderData: keepPreviousData,
    refetchInterval: liveInterval,
    queryFn: async ({ signal }) => {
      const range = rangeUntil(Date.now() / 1000, span.seconds, span.step);
      const answers = await Promise.all(
        panel.lines.map((line) => queryRange(queryOf(line, span), range, signal)),
      );
      const series = answers.map(({ result }): Series => {
        const first = result.kind === 'series' ? result.series[0] : undefined;
        return first ?? { labels: {}, points: [] };
      });
      return toColumns(series, range);
    },
  });
}
