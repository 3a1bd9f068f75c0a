// From a backtest's report to what the graphs draw.
import type { Backtest } from '../../api/backtest';
import type { Columns } from '../../charts/columns';
import { parseTime } from '../../formatting/time';

const HOUR = 3600;
/** Places along a graph at most. */
const PLACES_MAX = 720;

export interface Drawn {
  readonly names: readonly string[];
  readonly columns: Columns;
}

const seconds = (text: string | null): number => (parseTime(text) ?? 0) / 1000;

/** How many alerts of each rule fire, at the most within each place of the grid. */
export function firingLines(report: Backtest): Drawn {
  const [start, end] = [seconds(report.start), seconds(report.end)];
  const step = Math.max(60, Math.ceil((end - start) / PLACES_MAX / 60) * 60);
  const count = Math.floor((end - start) / step) + 1;
  const rules = report.rules.filter((rule) => rule.type === 'alerting' && rule.episodes.length > 0);
  const place = (at: number): number => Math.min(count - 1, Math.max(0, Math.floor((at - start) / step)));
  const values = rules.map((rule) => {
    const column = new Array<number>(count).fill(0);
    for (const episode of rule.episodes) {
      const last = episode.resolvedAt === null ? end : seconds(episode.resolvedAt);
      for (let at = place(seconds(episode.firedAt)); at <= place(last); at += 1) column[at] = (column[at] ?? 0) + 1;
    }
    return column;
  });
  const times = Array.from({ length: count }, (_, index) => start + index * step);
  return { names: rules.map((rule) => rule.name), columns: { seconds: times, values } };
}

/** Notifications in each hour by receiver; receivers that would have been told nothing are left out. */
export function notificationLines(report: Backtest): Drawn {
  const first = Math.floor(seconds(report.start) / HOUR) * HOUR;
  const count = Math.max(1, Math.ceil((seconds(report.end) - first) / HOUR));
  const receivers = (report.notifications?.receivers ?? []).filter((one) => one.total > 0);
  const values = receivers.map((receiver) => {
    const column = new Array<number>(count).fill(0);
    for (const hour of receiver.hours) {
      const place = Math.round((seconds(hour.start) - first) / HOUR);
      if (place >= 0 && place < count) column[place] = hour.count;
    }
    return column;
  });
  const times = Array.from({ length: count }, (_, index) => first + index * HOUR);
  return { names: receivers.map((one) => one.receiver), columns: { seconds: times, values } };
}
