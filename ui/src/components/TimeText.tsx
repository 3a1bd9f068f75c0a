// A moment: local time, or how long ago; UTC where one points at it.
import { coarse, formatDuration } from '../formatting/duration';
import { formatClock, formatTime, formatUtc } from '../formatting/time';
import { useNow } from './useNow';

type Relation = 'ago' | 'for' | 'left';

interface TimeTextProps {
  readonly millis: number | null;
  readonly form?: 'full' | 'clock' | Relation;
}

export function TimeText({ millis, form = 'full' }: TimeTextProps) {
  if (millis === null) return <span className="dim">never</span>;
  if (form !== 'full' && form !== 'clock') return <Relative millis={millis} form={form} />;
  return (
    <time dateTime={new Date(millis).toISOString()} title={formatUtc(millis)}>
      {form === 'clock' ? formatClock(millis) : formatTime(millis)}
    </time>
  );
}

function Relative({ millis, form }: { readonly millis: number; readonly form: Relation }) {
  const now = useNow();
  // The server's clock may be a little ahead of the browser's.
  const seconds = Math.max(0, Math.floor((form === 'left' ? millis - now : now - millis) / 1000));
  const text = formatDuration(coarse(seconds));
  const title = `${formatTime(millis)} (${formatUtc(millis)})`;
  return (
    <time dateTime={new Date(millis).toISOString()} title={title}>
      {{ ago: `${text} ago`, for: `for ${text}`, left: `in ${text}` }[form]}
    </time>
  );
}
