// A moment: local time, or how long ago; UTC where one points at it.
import { formatDuration } from '../formatting/duration';
import { formatClock, formatTime, formatUtc } from '../formatting/time';
import { useNow } from './useNow';

interface TimeTextProps {
  readonly millis: number | null;
  readonly form?: 'full' | 'clock' | 'ago' | 'left';
}

export function TimeText({ millis, form = 'full' }: TimeTextProps) {
  if (millis === null) return <span className="dim">never</span>;
  if (form === 'ago' || form === 'left') return <Relative millis={millis} form={form} />;
  return (
    <time dateTime={new Date(millis).toISOString()} title={formatUtc(millis)}>
      {form === 'clock' ? formatClock(millis) : formatTime(millis)}
    </time>
  );
}

function Relative({ millis, form }: { readonly millis: number; readonly form: 'ago' | 'left' }) {
  const now = useNow();
  // The server's clock may be a little ahead of the browser's.
  const seconds = Math.max(0, Math.floor((form === 'ago' ? now - millis : millis - now) / 1000));
  const title = `${formatTime(millis)} (${formatUtc(millis)})`;
  return (
    <time dateTime={new Date(millis).toISOString()} title={title}>
      {form === 'ago' ? `${formatDuration(seconds)} ago` : `in ${formatDuration(seconds)}`}
    </time>
  );
}
