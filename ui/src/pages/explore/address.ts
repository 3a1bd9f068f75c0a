// What Explore shows, in its address. The names are those of Prometheus' page, so that links made by either
// work in the other, and links from alerts lead here.
import { parseDuration, writeDuration } from '../../formatting/duration';

export type View = 'graph' | 'table';

export interface ExploreState {
  readonly query: string;
  readonly view: View;
  /** Seconds shown. */
  readonly rangeSeconds: number;
  /** The end in seconds since 1970; null: now. */
  readonly endSeconds: number | null;
  /** Seconds between points; null: chosen by the page. */
  readonly stepSeconds: number | null;
}

export const RANGE_SECONDS_DEFAULT = 3_600;

export function readAddress(search: string): ExploreState {
  const parameters = new URLSearchParams(search);
  const tab = parameters.get('g0.tab');
  const end = Date.parse(`${(parameters.get('g0.end_input') ?? parameters.get('g0.moment_input') ?? '').replace(' ', 'T')}Z`);
  return {
    query: parameters.get('g0.expr') ?? '',
    // Prometheus 2 writes 0 and 1, Prometheus 3 names.
    view: tab === '1' || tab === 'table' ? 'table' : 'graph',
    rangeSeconds: parseDuration(parameters.get('g0.range_input') ?? '') ?? RANGE_SECONDS_DEFAULT,
    endSeconds: Number.isNaN(end) ? null : Math.floor(end / 1000),
    stepSeconds: parseDuration(parameters.get('g0.step_input') ?? ''),
  };
}

export function writeAddress(state: ExploreState): string {
  const parameters = new URLSearchParams();
  parameters.set('g0.expr', state.query);
  parameters.set('g0.tab', state.view);
  parameters.set('g0.range_input', writeDuration(state.rangeSeconds));
  if (state.endSeconds !== null) {
    const end = new Date(state.endSeconds * 1000).toISOString();
    parameters.set('g0.end_input', end.slice(0, 19).replace('T', ' '));
  }
  if (state.stepSeconds !== null) parameters.set('g0.step_input', String(state.stepSeconds));
  return `/explore?${parameters.toString()}`;
}

interface LinkTo {
  readonly query: string;
  readonly range?: string;
  readonly view?: View;
}

/** The address that shows a query. */
export function exploreAddress({ query, range, view }: LinkTo): string {
  return writeAddress({
    query,
    view: view ?? 'graph',
    rangeSeconds: parseDuration(range ?? '') ?? RANGE_SECONDS_DEFAULT,
    endSeconds: null,
    stepSeconds: null,
  });
}
