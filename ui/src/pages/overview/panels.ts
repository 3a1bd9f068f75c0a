// The graphs of the overview: what each asks for, and which metrics must exist for it to be shown.
//
// The names are node_exporter's; `WINDOW` stands for the span of rates, which grows with the time shown.
import { formatBytes, formatBytesPerSecond, formatNumber, formatPercent } from '../../formatting/number';

export interface PanelLine {
  readonly label: string;
  readonly query: string;
}

export interface Panel {
  readonly title: string;
  readonly needs: readonly string[];
  readonly lines: readonly PanelLine[];
  readonly format: (value: number) => string;
  /** The top of the value axis at least. */
  readonly atLeast?: number;
  readonly isArea?: boolean;
  readonly isBinary?: boolean;
}

/** Everything that this program measures of its own host and of itself. */
export const OWN = '{job="binnacle"}';

const own = (name: string, ...matchers: string[]): string => `${name}{${['job="binnacle"', ...matchers].join(',')}}`;
const rate = (selector: string): string => `rate(${selector}[WINDOW])`;
const REAL_DEVICES = 'device!~"lo|veth.*|docker.*|br-.*"';
const REAL_DISKS = 'device!~"(loop|ram|fd|sr|dm-).*"';

/** Filesystems that hold what people care about. */
export const REAL_FILESYSTEMS =
  'fstype!~"tmpfs|devtmpfs|ramfs|overlay|squashfs|proc|sysfs|cgroup.*|devpts|mqueue|fuse.lxcfs|nsfs|autofs"';

export const HOST_PANELS: readonly Panel[] = [
  {
    title: 'CPU',
    needs: ['node_cpu_seconds_total'],
    lines: [
      { label: 'busy', query: `1 - avg(${rate(own('node_cpu_seconds_total', 'mode="idle"'))})` },
      { label: 'waiting for disks', query: `avg(${rate(own('node_cpu_seconds_total', 'mode="iowait"'))})` },
    ],
    format: formatPercent,
    atLeast: 1,
    isArea: true,
  },
  {
    title: 'Memory',
    needs: ['node_memory_MemTotal_bytes', 'node_memory_MemAvailable_bytes'],
    lines: [
      {
        label: 'used',
        query: `sum(${own('node_memory_MemTotal_bytes')}) - sum(${own('node_memory_MemAvailable_bytes')})`,
      },
      { label: 'total', query: `sum(${own('node_memory_MemTotal_bytes')})` },
    ],
    format: formatBytes,
    isBinary: true,
    isArea: true,
  },
  {
    title: 'Load',
    needs: ['node_load1'],
    lines: [
      { label: '1 min', query: `max(${own('node_load1')})` },
      { label: '5 min', query: `max(${own('node_load5')})` },
      { label: '15 min', query: `max(${own('node_load15')})` },
    ],
    format: formatNumber,
  },
  {
    title: 'Network',
    needs: ['node_network_receive_bytes_total'],
    lines: [
      { label: 'in', query: `sum(${rate(own('node_network_receive_bytes_total', REAL_DEVICES))})` },
      { label: 'out', query: `sum(${rate(own('node_network_transmit_bytes_total', REAL_DEVICES))})` },
    ],
    format: formatBytesPerSecond,
    isBinary: true,
  },
  {
    title: 'Disks',
    needs: ['node_disk_read_bytes_total'],
    lines: [
      { label: 'read', query: `sum(${rate(own('node_disk_read_bytes_total', REAL_DISKS))})` },
      { label: 'written', query: `sum(${rate(own('node_disk_written_bytes_total', REAL_DISKS))})` },
    ],
    format: formatBytesPerSecond,
    isBinary: true,
  },
  {
    title: 'Processes',
    needs: ['node_procs_running'],
    lines: [
      { label: 'running', query: `sum(${own('node_procs_running')})` },
      { label: 'blocked', query: `sum(${own('node_procs_blocked')})` },
    ],
    format: formatNumber,
    atLeast: 4,
  },
];

export const SELF_PANELS: readonly Panel[] = [
  {
    title: 'Memory of Binnacle',
    needs: ['process_resident_memory_bytes'],
    lines: [{ label: 'resident', query: `sum(${own('process_resident_memory_bytes')})` }],
    format: formatBytes,
    isBinary: true,
    isArea: true,
  },
  {
    title: 'CPU of Binnacle',
    needs: ['process_cpu_seconds_total'],
    lines: [{ label: 'cores', query: `sum(${rate(own('process_cpu_seconds_total'))})` }],
    format: formatNumber,
  },
  {
    title: 'Samples stored',
    needs: ['prometheus_tsdb_head_samples_appended_total'],
    lines: [{ label: 'a second', query: `sum(${rate(own('prometheus_tsdb_head_samples_appended_total'))})` }],
    format: formatNumber,
  },
  {
    title: 'Series',
    needs: ['prometheus_tsdb_head_series'],
    lines: [{ label: 'in memory', query: `sum(${own('prometheus_tsdb_head_series')})` }],
    format: formatNumber,
  },
];

/** How long the graphs look back, with the distance of points and the span of rates. */
export interface Span {
  readonly name: string;
  readonly label: string;
  readonly seconds: number;
  readonly step: number;
  readonly window: string;
}

export const SPANS: readonly [Span, ...Span[]] = [
  { name: '15m', label: '15 min', seconds: 900, step: 5, window: '1m' },
  { name: '1h', label: '1 hour', seconds: 3_600, step: 15, window: '1m' },
  { name: '6h', label: '6 hours', seconds: 21_600, step: 90, window: '3m' },
];

export function spanNamed(name: string): Span {
  return SPANS.find((span) => span.name === name) ?? SPANS[0];
}

export function queryOf(line: PanelLine, span: Span): string {
  return line.query.replaceAll('WINDOW', span.window);
}
