// The address that opens the form for a new silence, filled in for these labels.
import type { Labels } from '../../formatting/labels';
import { formatMatchers, matchersOf } from './matchers';

export function silenceAddress(labels: Labels): string {
  return `/alerts?view=silences&new=${encodeURIComponent(`{${formatMatchers(matchersOf(labels))}}`)}`;
}
