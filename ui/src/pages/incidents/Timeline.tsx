// What happened, the newest first.
import type { TimelineEntry } from '../../api/incidents';
import type { Tone } from '../../components/Badge';
import { TimeText } from '../../components/TimeText';
import { parseTime } from '../../formatting/time';

interface Kind {
  readonly words: string;
  readonly tone: Tone;
}

const KINDS: Readonly<Record<string, Kind>> = {
  opened: { words: 'Opened', tone: 'critical' },
  alert_joined: { words: 'Alert joined', tone: 'high' },
  alert_left: { words: 'Alert ended', tone: 'good' },
  severity_changed: { words: 'Severity changed', tone: 'high' },
  acknowledged: { words: 'Acknowledged', tone: 'medium' },
  note: { words: 'Note', tone: 'low' },
  notification_sent: { words: 'Notified', tone: 'low' },
  notification_failed: { words: 'Could not notify', tone: 'critical' },
  resolved: { words: 'Resolved', tone: 'good' },
};

/** A kind that this page does not know yet is shown by its name. */
export function kindOf(kind: string): Kind {
  return KINDS[kind] ?? { words: kind.replaceAll('_', ' '), tone: 'low' };
}

interface TimelineProps {
  readonly entries: readonly TimelineEntry[];
  readonly omitted: number;
}

export function Timeline({ entries, omitted }: TimelineProps) {
  return (
    <ol className="timeline" reversed>
      {omitted > 0 && <li className="dim timeline-omitted">{omitted} more lines had no room in the timeline.</li>}
      {[...entries].reverse().map((entry, index) => {
        const { words, tone } = kindOf(entry.kind);
        return (
          <li key={`${entry.at} ${entries.length - index}`} className={`tone-${tone}`}>
            <span className="timeline-time dim">
              <TimeText millis={parseTime(entry.at)} />
            </span>
            <span className="timeline-dot" />
            <span className="timeline-text">
              <strong>{words}</strong>
              {entry.who !== '' && <span> by {entry.who}</span>}
              {entry.text !== '' && <span className="timeline-words">{entry.text}</span>}
            </span>
          </li>
        );
      })}
    </ol>
  );
}
