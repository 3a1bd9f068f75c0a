// When an alert fired, as a strip from the oldest known event until now.
import type { AlertEvent } from '../../api/alerts';
import { TimeText } from '../../components/TimeText';
import { useNow } from '../../components/useNow';
import { coarse, formatDuration } from '../../formatting/duration';
import { formatCount } from '../../formatting/number';
import { firingSpans, placeOf, type Span } from './firingSpans';

export function FiringStrip({ events }: { readonly events: readonly AlertEvent[] }) {
  const now = useNow();
  const spans = firingSpans(events, now);
  if (spans === null) return null;
  const { whole, firing, muted } = spans;
  const seconds = firing.reduce((sum, span) => sum + (span.end - span.start) / 1000, 0);
  const told = `Fired ${formatCount(firing.length, 'time')}, ${formatDuration(coarse(Math.round(seconds)))} in all`;
  const mutedText = muted.length > 0 ? `; the hatched part was muted` : '';
  return (
    <div className="strip">
      <div className="strip-line" role="img" aria-label={told}>
        {firing.map((span) => (
          <Mark key={span.start} span={span} whole={whole} name="strip-firing" />
        ))}
        {muted.map((span) => (
          <Mark key={span.start} span={span} whole={whole} name="strip-muted" />
        ))}
      </div>
      <div className="strip-ends dim">
        <TimeText millis={whole.start} />
        <span>
          {told}
          {mutedText}
        </span>
        <span>now</span>
      </div>
    </div>
  );
}

interface MarkProps {
  readonly span: Span;
  readonly whole: Span;
  readonly name: string;
}

function Mark({ span, whole, name }: MarkProps) {
  const { left, width } = placeOf(span, whole);
  return <span className={name} style={{ left: `${left}%`, width: `${width}%` }} />;
}
