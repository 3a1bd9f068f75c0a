// The graph of a range query with a legend: every line can be switched off, a double click leaves it alone,
// and the legend shows the values under the cursor.
import { useMemo, useState } from 'react';
import type { Range, Series } from '../../api/query';
import { lastValue, toColumns } from '../../charts/columns';
import { lineColor, useChartColors } from '../../charts/palette';
import { TimeChart } from '../../charts/TimeChart';
import { formatSeries } from '../../formatting/labels';
import { formatNumber } from '../../formatting/number';
import { formatTime } from '../../formatting/time';

/** More lines than this nobody tells apart, and drawing them takes long. */
export const DRAWN_MAX = 100;

interface GraphAnswerProps {
  readonly series: readonly Series[];
  readonly histogramCount: number;
  readonly range: Range;
  readonly onSpan: (start: number, end: number) => void;
}

export function GraphAnswer({ series, histogramCount, range, onSpan }: GraphAnswerProps) {
  const drawn = useMemo(() => series.slice(0, DRAWN_MAX), [series]);
  const names = useMemo(() => drawn.map((one) => formatSeries(one.labels)), [drawn]);
  const columns = useMemo(() => toColumns(drawn, range), [drawn, range]);
  const [hidden, setHidden] = useState<ReadonlySet<string>>(new Set());
  const [cursor, setCursor] = useState<number | null>(null);
  const lines = useMemo(() => names.map((label) => ({ label, isHidden: hidden.has(label) })), [names, hidden]);
  const at = cursor === null ? undefined : columns.seconds[cursor];
  return (
    <div className="panel-body">
      {series.length > DRAWN_MAX && (
        <p className="dim">
          Showing {DRAWN_MAX} of {series.length.toLocaleString('en')} series. Narrow the query, or wrap it in topk(
          {DRAWN_MAX}, …).
        </p>
      )}
      {histogramCount > 0 && (
        <p className="dim">{histogramCount} of the series hold histograms, which are not drawn yet; the table shows them.</p>
      )}
      <TimeChart
        title={`${names.length} series from ${formatTime(range.start * 1000)} to ${formatTime(range.end * 1000)}`}
        columns={columns}
        lines={lines}
        height={360}
        format={formatNumber}
        onCursor={setCursor}
        onSpan={onSpan}
      />
      <div className="legend-head">
        <span className="dim">{at === undefined ? 'Last values' : formatTime(at * 1000)}</span>
        {hidden.size > 0 && (
          <button type="button" className="text-button" onClick={() => setHidden(new Set())}>
            Show all
          </button>
        )}
      </div>
      <Legend
        names={names}
        hidden={hidden}
        onHide={setHidden}
        valueOf={(index) => {
          const column = columns.values[index] ?? [];
          return cursor === null ? lastValue(column) : (column[cursor] ?? null);
        }}
      />
    </div>
  );
}

interface LegendProps {
  readonly names: readonly string[];
  readonly hidden: ReadonlySet<string>;
  readonly onHide: (hidden: ReadonlySet<string>) => void;
  readonly valueOf: (index: number) => number | null;
}

function Legend({ names, hidden, onHide, valueOf }: LegendProps) {
  const colors = useChartColors();
  const toggle = (name: string) => {
    const next = new Set(hidden);
    if (!next.delete(name)) next.add(name);
    onHide(next);
  };
  return (
    <ul className="legend" tabIndex={0} aria-label="Series">
      {names.map((name, index) => {
        const value = valueOf(index);
        return (
          <li key={name}>
            <button
              type="button"
              aria-pressed={!hidden.has(name)}
              onClick={() => toggle(name)}
              onDoubleClick={() => onHide(new Set(names.filter((one) => one !== name)))}
            >
              <span className="swatch" style={{ background: lineColor(colors, index) }} />
              <span className="legend-name">{name}</span>
              <b>{value === null ? '–' : formatNumber(value)}</b>
            </button>
          </li>
        );
      })}
    </ul>
  );
}
