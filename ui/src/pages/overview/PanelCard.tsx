// One graph with the present value of each of its lines, or the value under the cursor.
import { useState } from 'react';
import { lastValue } from '../../charts/columns';
import { lineColor, useChartColors } from '../../charts/palette';
import { TimeChart } from '../../charts/TimeChart';
import { Link } from '../../components/Link';
import { exploreAddress } from '../explore/address';
import { queryOf, type Panel, type Span } from './panels';
import { useLivePanel } from './useLiveSeries';

const HEIGHT = 132;

interface PanelCardProps {
  readonly panel: Panel;
  readonly span: Span;
}

export function PanelCard({ panel, span }: PanelCardProps) {
  const { data } = useLivePanel(panel, span, true);
  const [cursor, setCursor] = useState<number | null>(null);
  const colors = useChartColors();
  const first = panel.lines[0];
  const columns = data ?? { seconds: [], values: panel.lines.map(() => []) };
  const valueOf = (index: number): string => {
    const column = columns.values[index] ?? [];
    const value = cursor === null ? lastValue(column) : (column[cursor] ?? null);
    return value === null ? '–' : panel.format(value);
  };
  return (
    <article className="panel panel-card" aria-label={panel.title}>
      <div className="panel-card-head">
        <h2>
          <Link href={exploreAddress({ query: first === undefined ? '' : queryOf(first, span), range: span.name })}>
            {panel.title}
          </Link>
        </h2>
        <ul className="panel-values">
          {panel.lines.map((line, index) => (
            <li key={line.label}>
              <span className="swatch" style={{ background: lineColor(colors, index) }} />
              <span className="dim">{line.label}</span> <b>{valueOf(index)}</b>
            </li>
          ))}
        </ul>
      </div>
      <TimeChart
        title={`${panel.title}, the last ${span.label}`}
        columns={columns}
        lines={panel.lines.map((line, index) => ({ label: line.label, isArea: panel.isArea === true && index === 0 }))}
        height={HEIGHT}
        format={panel.format}
        startsAtZero
        isBinary={panel.isBinary === true}
        {...(panel.atLeast === undefined ? {} : { atLeast: panel.atLeast })}
        syncKey="overview"
        onCursor={setCursor}
      />
    </article>
  );
}
