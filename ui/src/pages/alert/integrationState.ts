// What an integration knows of an alert, in one word.
import type { ExplainedIntegration } from '../../api/alerts';
import type { Tone } from '../../components/Badge';

/** `isOver`: the alert has ended, so that its end is what is to be told. */
export function stateOf(one: ExplainedIntegration, isOver: boolean): { readonly word: string; readonly tone: Tone } {
  if ((one.pendingAttempts ?? 0) > 0) return { word: 'failing', tone: 'critical' };
  if (one.pendingAttempts === 0) return { word: 'on its way', tone: 'medium' };
  if (isOver && one.toldResolved) return { word: 'told its end', tone: 'good' };
  if (one.toldFiring) return { word: 'told', tone: 'good' };
  return { word: 'not told', tone: one.failingSince === null ? 'low' : 'critical' };
}
