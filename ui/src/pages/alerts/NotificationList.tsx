// What was told to whom lately, and what could not be told to anybody.
import { useQuery } from '@tanstack/react-query';
import { useMemo } from 'react';
import type { Attempt, Undelivered } from '../../api/notifications';
import { notificationsQuery, routedAlertsQuery } from '../../api/polling';
import { Badge, type Tone } from '../../components/Badge';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { WhyLink } from '../../components/WhyLink';
import { matchesFilter } from '../../formatting/matchText';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { alertTitle } from './alertText';
import { lastAttempts } from './lastAttempts';
import { ReceiverTest } from './ReceiverTest';

const UNDELIVERED_AT_FIRST = 20;

const TONES: Readonly<Record<Attempt['outcome'], Tone>> = { delivered: 'good', failed: 'critical' };

export function NotificationList({ filter }: { readonly filter: string }) {
  const notifications = useQuery(notificationsQuery);
  return (
    <Loaded query={notifications} height={420}>
      {({ attempts, undelivered }) => (
        <div className="stack">
          <UndeliveredPanel undelivered={undelivered.filter((one) => matchesFilter(filter, one.labels))} />
          <AttemptPanel
            attempts={lastAttempts(attempts).filter((one) =>
              matchesFilter(filter, {}, `${one.receiver}\n${one.integration}\n${one.groupKey}\n${one.error ?? ''}`),
            )}
          />
        </div>
      )}
    </Loaded>
  );
}

function UndeliveredPanel({ undelivered }: { readonly undelivered: readonly Undelivered[] }) {
  const { shown, more } = useCapped(undelivered, UNDELIVERED_AT_FIRST);
  if (undelivered.length === 0) return null;
  return (
    <section className="panel" aria-label="Reached nobody">
      <div className="panel-head">
        <h2>Reached nobody</h2>
        <span className="dim">Every attempt to tell their receivers failed; the list below says why.</span>
      </div>
      <ul className="alert-list">
        {shown.map((one) => (
          <li key={one.fingerprint} className="alert">
            <div className="alert-text">
              <LabelList labels={one.labels} />
            </div>
            <div className="alert-side">
              <span>
                <TimeText millis={parseTime(one.since)} form="for" />
              </span>
              <span className="dim">routed to {one.receivers.join(', ') || 'no receiver'}</span>
              <WhyLink fingerprint={one.fingerprint} name={one.labels['alertname']} />
            </div>
          </li>
        ))}
      </ul>
      {more}
    </section>
  );
}

function AttemptPanel({ attempts }: { readonly attempts: readonly Attempt[] }) {
  const alerts = useQuery(routedAlertsQuery).data;
  const names = useMemo(() => new Map(alerts?.map((alert) => [alert.fingerprint, alertTitle(alert)])), [alerts]);
  return (
    <section className="panel" aria-label="Recent notifications">
      <div className="panel-head">
        <h2>Recent notifications</h2>
        <ReceiverTest />
      </div>
      {attempts.length === 0 ? (
        <EmptyState icon="alerts" title="Nothing was sent yet">
          <p>Receivers are named in alertmanager.yml. Without one, alerts still open incidents on this page.</p>
        </EmptyState>
      ) : (
        <table className="table table-stacked">
          <thead>
            <tr>
              <th className="fit">Outcome</th>
              <th className="fit">When</th>
              <th>Receiver</th>
              <th>Group</th>
            </tr>
          </thead>
          <tbody>
            {attempts.map((attempt, index) => (
              <tr key={`${attempt.at} ${attempt.groupKey} ${index}`}>
                <td className="fit">
                  <Badge tone={TONES[attempt.outcome]}>{attempt.outcome}</Badge>
                </td>
                <td className="fit" data-name="When">
                  <TimeText millis={parseTime(attempt.at)} form="ago" />
                </td>
                <td data-name="Receiver">
                  {attempt.receiver} <span className="dim">{attempt.integration}</span>
                </td>
                <td>
                  <code>{attempt.groupKey}</code> <span className="dim">{describe(attempt)}</span>
                  <AttemptAlerts attempt={attempt} names={names} />
                  {attempt.error !== null && attempt.error !== '' && <div className="table-note">{attempt.error}</div>}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

interface AttemptAlertsProps {
  readonly attempt: Attempt;
  /** Names of alerts that fire, by fingerprint. */
  readonly names: ReadonlyMap<string, string>;
}

/** The way from a notification to its alerts. */
function AttemptAlerts({ attempt: { alerts, firing, resolved }, names }: AttemptAlertsProps) {
  const left = firing + resolved - alerts.length;
  const [only] = alerts;
  if (only === undefined) return null;
  if (alerts.length === 1 && left === 0) {
    return (
      <div>
        <Link href={`/alerts/${only}`}>{names.get(only) ?? 'its alert'}</Link>
      </div>
    );
  }
  return (
    <details className="attempt-alerts">
      <summary>{formatCount(firing + resolved, 'alert')}</summary>
      <ul>
        {alerts.map((fingerprint) => (
          <li key={fingerprint}>
            <Link href={`/alerts/${fingerprint}`}>
              {names.get(fingerprint) ?? <code>{fingerprint}</code>}
            </Link>
          </li>
        ))}
        {left > 0 && <li className="dim">and {left.toLocaleString('en')} more</li>}
      </ul>
    </details>
  );
}

/** `2 firing, 1 resolved; new alerts; attempt 3`. */
function describe({ firing, resolved, reason, attempt }: Attempt): string {
  const counts = [firing > 0 ? `${firing} firing` : '', resolved > 0 ? `${resolved} resolved` : ''];
  const parts = [counts.filter((count) => count !== '').join(', '), reason, attempt > 1 ? `attempt ${attempt}` : ''];
  return parts.filter((part) => part !== '').join('; ');
}
