// Attempts to tell somebody of one alert, with what came back.
import type { Attempt } from '../../api/notifications';
import { Badge } from '../../components/Badge';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { parseTime } from '../../formatting/time';

const SHOWN_AT_FIRST = 10;

export function AttemptTable({ attempts }: { readonly attempts: readonly Attempt[] }) {
  const { shown, more } = useCapped(attempts, SHOWN_AT_FIRST);
  return (
    <section className="panel" aria-label="Attempts">
      <div className="panel-head">
        <h2>Attempts to tell somebody</h2>
      </div>
      {attempts.length === 0 ? (
        <p className="panel-body dim">None is recorded.</p>
      ) : (
        <>
          <table className="table table-stacked">
            <thead>
              <tr>
                <th className="fit">Outcome</th>
                <th className="fit">When</th>
                <th>Receiver</th>
                <th>Why</th>
              </tr>
            </thead>
            <tbody>
              {shown.map((attempt, index) => (
                <tr key={`${attempt.at} ${attempt.integration} ${index}`}>
                  <td className="fit">
                    <Badge tone={attempt.outcome === 'delivered' ? 'good' : 'critical'}>{attempt.outcome}</Badge>
                  </td>
                  <td className="fit" data-name="When">
                    <TimeText millis={parseTime(attempt.at)} />
                  </td>
                  <td data-name="Receiver">
                    {attempt.receiver} <span className="dim">{attempt.integration}</span>
                  </td>
                  <td data-name="Why">
                    {attempt.reason}
                    {attempt.attempt > 1 && <span className="dim">, attempt {attempt.attempt}</span>}
                    {attempt.error !== null && attempt.error !== '' && <div className="table-note">{attempt.error}</div>}
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
