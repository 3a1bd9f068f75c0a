// A graph over time. It keeps its height whatever happens, follows the width of its place, and tells
// its parent which moment is under the cursor.
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Columns } from './columns';
import { lineColor, useChartColors, type ChartColors } from './palette';
import { valueRange } from './valueRange';
import './chart.css';

export interface Line {
  readonly label: string;
  readonly isHidden?: boolean;
  /** Filled to the ground. */
  readonly isArea?: boolean;
}

export interface TimeChartProps {
  /** What the graph shows, in words. */
  readonly title: string;
  readonly columns: Columns;
  readonly lines: readonly Line[];
  readonly height: number;
  readonly format: (value: number) => string;
  /** Marks of the value axis lie at 2^n rather than at 10^n. */
  readonly isBinary?: boolean;
  /** The value axis begins at zero and, where it is given, ends here at least. */
  readonly atLeast?: number;
  readonly startsAtZero?: boolean;
  /** Graphs with the same key move their cursors together. */
  readonly syncKey?: string;
  readonly onCursor?: (index: number | null) => void;
  /** A span of time was marked with the mouse. */
  readonly onSpan?: (start: number, end: number) => void;
}

/** Distances between marks of bytes: 1, 2, 4 … up to 2^60. */
const BINARY_STEPS = Array.from({ length: 61 }, (_, power) => 2 ** power);

export function TimeChart(props: TimeChartProps) {
  const { title, columns, lines, height } = props;
  const place = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const colors = useChartColors();
  const latest = useRef(props);
  useEffect(() => {
    latest.current = props;
  });
  // Anything that uPlot takes only when it is made.
  const shape = lines.map((line) => `${line.label}${line.isArea === true ? '▒' : ''}`).join('\n');

  useEffect(() => {
    const target = place.current;
    if (target === null) return undefined;
    const made = new uPlot(options(latest, colors, target.clientWidth), aligned(latest.current.columns), target);
    plot.current = made;
    const observer = new ResizeObserver(() => {
      made.setSize({ width: target.clientWidth, height: latest.current.height });
    });
    observer.observe(target);
    return () => {
      observer.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, colors]);

  useEffect(() => {
    plot.current?.setData(aligned(columns));
  }, [columns]);

  useEffect(() => {
    lines.forEach((line, index) => {
      const shown = plot.current?.series[index + 1]?.show ?? false;
      const wanted = line.isHidden !== true;
      if (shown !== wanted) plot.current?.setSeries(index + 1, { show: wanted });
    });
  }, [lines]);

  return <div ref={place} className="time-chart" style={{ height }} role="img" aria-label={title} />;
}

function aligned(columns: Columns): uPlot.AlignedData {
  return [columns.seconds, ...columns.values] as unknown as uPlot.AlignedData;
}

function options(latest: { readonly current: TimeChartProps }, colors: ChartColors, width: number): uPlot.Options {
  const { lines, height, syncKey, onSpan, isBinary } = latest.current;
  const axis: uPlot.Axis = {
    stroke: colors.axis,
    font: '11px system-ui, sans-serif',
    grid: { stroke: colors.grid, width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height,
    legend: { show: false },
    // To the right, half a clock time.
    padding: [8, 18, 0, 0],
    cursor: {
      points: { size: 6 },
      drag: { x: onSpan !== undefined, y: false, setScale: false },
      ...(syncKey === undefined ? {} : { sync: { key: syncKey, setSeries: false } }),
    },
    scales: { y: { range: (_plot, min, max) => valueRange(latest.current, min, max) } },
    axes: [
      { ...axis, size: 26, space: 64, values: timeTicks },
      {
        ...axis,
        size: 62,
        // Powers of two lie further apart, so they may come closer to each other before one is left out.
        space: isBinary === true ? 22 : 32,
        values: (_plot, ticks) => ticks.map((tick) => latest.current.format(tick)),
        ...(isBinary === true ? { incrs: BINARY_STEPS } : {}),
      },
    ],
    series: [{}, ...lines.map((line, index) => seriesOptions(line, lineColor(colors, index)))],
    hooks: {
      setCursor: [(plot) => latest.current.onCursor?.(plot.cursor.idx ?? null)],
      setSelect: [(plot) => select(plot, latest.current)],
    },
  };
}

function seriesOptions(line: Line, color: string): uPlot.Series {
  return {
    label: line.label,
    show: line.isHidden !== true,
    stroke: color,
    width: 1.5,
    points: { show: false },
    ...(line.isArea === true ? { fill: `${color}22` } : {}),
  };
}

/** Clock times; days where the graph is longer than one. */
function timeTicks(plot: uPlot, ticks: number[]): string[] {
  const span = (plot.scales['x']?.max ?? 0) - (plot.scales['x']?.min ?? 0);
  const pad = (value: number): string => String(value).padStart(2, '0');
  return ticks.map((tick) => {
    const at = new Date(tick * 1000);
    const clock = `${pad(at.getHours())}:${pad(at.getMinutes())}`;
    if (span > 86_400 * 3) return `${pad(at.getMonth() + 1)}-${pad(at.getDate())}`;
    if (span > 86_400) return `${pad(at.getMonth() + 1)}-${pad(at.getDate())} ${clock}`;
    return span < 300 ? `${clock}:${pad(at.getSeconds())}` : clock;
  });
}

function select(plot: uPlot, props: TimeChartProps): void {
  const { left, width } = plot.select;
  if (width < 4 || props.onSpan === undefined) return;
  props.onSpan(plot.posToVal(left, 'x'), plot.posToVal(left + width, 'x'));
  plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
}
