// What came back: remarks, then a graph or a table; an error with its place; or what to try first.
import { Skeleton } from '@mantine/core';
import { Banner } from '../../components/Banner';
import { EmptyState } from '../../components/EmptyState';
import type { ExploreState } from './address';
import { GraphAnswer } from './GraphAnswer';
import { QueryError } from './QueryError';
import { TableAnswer } from './TableAnswer';
import type { ExploreAnswer } from './useExploreQuery';

const EXAMPLES: readonly (readonly [query: string, what: string])[] = [
  ['up', 'which targets answer'],
  ['1 - avg(rate(node_cpu_seconds_total{mode="idle"}[1m]))', 'how busy this host is'],
  ['node_memory_MemAvailable_bytes', 'free memory'],
  ['topk(10, count by (__name__) ({__name__!=""}))', 'metrics with the most series'],
];

interface AnswerProps {
  readonly state: ExploreState;
  readonly answer: ExploreAnswer;
  readonly onAsk: (query: string) => void;
  readonly onSpan: (start: number, end: number) => void;
}

export function Answer({ state, answer, onAsk, onSpan }: AnswerProps) {
  if (state.query.trim() === '') return <Examples onAsk={onAsk} />;
  if (answer.error !== null) return <QueryError error={answer.error} query={state.query} />;
  if (answer.data === undefined) {
    return (
      <div className="panel-body">
        <Skeleton height={360} />
      </div>
    );
  }
  const { answer: found, range } = answer.data;
  const remarks = [...found.warnings, ...found.infos];
  const isEmpty = (found.result.kind === 'series' ? found.result.series : found.result.samples).length === 0;
  return (
    <>
      {remarks.length > 0 && (
        <div className="panel-body stack">
          {found.warnings.map((warning) => (
            <Banner key={warning} tone="medium" title={warning} />
          ))}
          {found.infos.map((info) => (
            <Banner key={info} tone="low" title={info} />
          ))}
        </div>
      )}
      {isEmpty && (
        <EmptyState icon="explore" title="No series">
          <p>Nothing matches in this time. Check the names, or look further back.</p>
        </EmptyState>
      )}
      {!isEmpty && found.result.kind === 'series' && state.view === 'graph' && (
        <GraphAnswer series={found.result.series} histogramCount={found.result.histogramCount} range={range} onSpan={onSpan} />
      )}
      {!isEmpty && !(found.result.kind === 'series' && state.view === 'graph') && <TableAnswer result={found.result} />}
    </>
  );
}

function Examples({ onAsk }: { readonly onAsk: (query: string) => void }) {
  return (
    <EmptyState icon="explore" title="Ask something">
      <p>Names and labels are completed while you type; Enter runs. For a start:</p>
      <ul className="examples">
        {EXAMPLES.map(([query, what]) => (
          <li key={query}>
            <button type="button" onClick={() => onAsk(query)}>
              <code>{query}</code>
            </button>{' '}
            <span>{what}</span>
          </li>
        ))}
      </ul>
    </EmptyState>
  );
}
