// From the events of an alert to the spans of time in which it fired.
import type { AlertEvent } from '../../api/alerts';
import { parseTime } from '../../formatting/time';

export interface Span {
  /** Milliseconds since 1970. */
  readonly start: number;
  readonly end: number;
}

export interface FiringSpans {
  /** The whole strip. */
  readonly whole: Span;
  readonly firing: readonly Span[];
  /** When nobody was told although it fired. */
  readonly muted: readonly Span[];
}

/** A strip shows so much at least: a second of firing is a dot, not a bar. */
const WHOLE_MS_MIN = 600_000;

/** `events`: the newest first, as the server lists them. Null where it is not known that it ever fired. */
export function firingSpans(events: readonly AlertEvent[], now: number): FiringSpans | null {
  const firing: Span[] = [];
  const muted: Span[] = [];
  const times = events.map((event) => parseTime(event.at) ?? now);
  const first = times.at(-1);
  if (first === undefined) return null;
  const whole = { start: Math.min(first, now - WHOLE_MS_MIN), end: now };
  let fires: number | null = null;
  let mutes: number | null = null;
  const last = events.length - 1;
  for (let index = last; index >= 0; index -= 1) {
    const at = times[index] ?? now;
    switch (events[index]?.change) {
      case 'fired':
        fires ??= at;
        break;
      case 'suppressed':
        // Older events may be gone: what is muted has begun.
        fires ??= index === last ? whole.start : at;
        mutes ??= at;
        break;
      case 'released':
        if (mutes === null && index === last) mutes = whole.start;
        if (mutes !== null) muted.push({ start: mutes, end: at });
        mutes = null;
        break;
      case 'resolved':
        if (fires === null && index === last) fires = whole.start;
        if (fires !== null) firing.push({ start: fires, end: at });
        if (mutes !== null) muted.push({ start: mutes, end: at });
        fires = null;
        mutes = null;
        break;
      default:
        break;
    }
  }
  if (fires !== null) firing.push({ start: fires, end: now });
  if (mutes !== null) muted.push({ start: mutes, end: now });
  return firing.length === 0 ? null : { whole, firing, muted };
}

/** Where a span lies within the whole, in percent; what is short keeps a width that can be seen. */
export function placeOf(span: Span, whole: Span): { readonly left: number; readonly width: number } {
  const length = Math.max(1, whole.end - whole.start);
  const left = Math.min(99.5, Math.max(0, ((span.start - whole.start) / length) * 100));
  const width = Math.min(100 - left, Math.max(0.5, ((span.end - span.start) / length) * 100));
  return { left, width };
}
