// What became of one alert: a strip of when it fired, and its events.
import type { AlertEvent } from '../../api/alerts';
import { Sentence } from '../../components/Sentence';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { parseTime } from '../../formatting/time';
import { EventBadge } from './EventBadge';
import { FiringStrip } from './FiringStrip';

const SHOWN_AT_FIRST = 20;
/** The server sends so many at most. */
const EVENTS_MAX = 100;

export function AlertHistory({ events }: { readonly events: readonly AlertEvent[] }) {
  const { shown, more } = useCapped(events, SHOWN_AT_FIRST);
  return (
    <section className="panel" aria-label="History">
      <div className="panel-head">
        <h2>History</h2>
        {events.length >= EVENTS_MAX && <span className="dim">The newest {EVENTS_MAX} events.</span>}
      </div>
      {events.length === 0 ? (
        <p className="panel-body dim">It has not fired yet.</p>
      ) : (
        <>
          <FiringStrip events={events} />
          <table className="table table-stacked">
            <tbody>
              {shown.map((event, index) => (
                <tr key={`${event.at} ${event.change} ${events.length - index}`}>
                  <td className="fit">
                    <EventBadge change={event.change} />
                  </td>
                  <td className="fit">
                    <TimeText millis={parseTime(event.at)} />
                  </td>
                  <td>
                    <Sentence text={event.detail} />
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
          {more}
        </>
      )}
    </section>
  );
}
