// What became of an alert, as a word in a colour.
import type { Change } from '../../api/alerts';
import { Badge, type Tone } from '../../components/Badge';

const CHANGES: Readonly<Record<Change, { readonly word: string; readonly tone: Tone }>> = {
  fired: { word: 'fired', tone: 'critical' },
  resolved: { word: 'resolved', tone: 'good' },
  suppressed: { word: 'muted', tone: 'low' },
  released: { word: 'unmuted', tone: 'high' },
  flapping: { word: 'flapping', tone: 'medium' },
  steady: { word: 'steady', tone: 'good' },
};

/** A change that this page does not know yet is shown by its name. */
export function EventBadge({ change }: { readonly change: Change }) {
  const { word, tone } = CHANGES[change] ?? { word: change, tone: 'low' };
  return <Badge tone={tone}>{word}</Badge>;
}
