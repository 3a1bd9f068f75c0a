// How far apart the points of a graph are.
import type { ExploreState } from './address';

/** Points of a graph when the step is left to the page. */
const POINTS_WANTED = 300;

export function stepFor(state: Pick<ExploreState, 'rangeSeconds' | 'stepSeconds'>): number {
  return state.stepSeconds ?? Math.max(1, Math.ceil(state.rangeSeconds / POINTS_WANTED));
}
