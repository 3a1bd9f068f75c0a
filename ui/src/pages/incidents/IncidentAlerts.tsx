// The alerts of an incident that fire now, each with the ways to look further.
import { useQuery } from '@tanstack/react-query';
import type { IncidentDetails } from '../../api/incidents';
import { ruleGroupsQuery } from '../../api/polling';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { TimeText } from '../../components/TimeText';
import { formatSeries } from '../../formatting/labels';
import { parseTime } from '../../formatting/time';
import { exploreAddress } from '../explore/address';
import { silenceAddress } from '../alerts/silenceAddress';

export function IncidentAlerts({ incident }: { readonly incident: IncidentDetails }) {
  const name = incident.labels['alertname'];
  const groups = useQuery(ruleGroupsQuery).data ?? [];
  const rule = groups.flatMap((group) => group.rules).find((one) => one.type === 'alerting' && one.name === name);
  return (
    <section className="panel" aria-label="Alerts">
      <div className="panel-head">
        <h2>Alerts</h2>
        {rule !== undefined && <Link href={exploreAddress({ query: rule.query })}>Query of the rule</Link>}
      </div>
      {incident.alerts.length === 0 ? (
        <p className="panel-body dim">None of its alerts fires any more.</p>
      ) : (
        <ul className="incident-alerts">
          {incident.alerts.map((alert) => (
            <li key={formatSeries(alert.labels)}>
              <LabelList labels={alert.labels} />
              <div className="row" style={{ marginTop: 4 }}>
                <span className="dim">
                  <TimeText millis={parseTime(alert.startsAt)} form="for" />
                </span>
                <Link href={exploreAddress({ query: formatSeries({ ...alert.labels, __name__: 'ALERTS' }), range: '6h' })}>
                  Explore
                </Link>
                <Link href={silenceAddress(alert.labels)}>Silence</Link>
              </div>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
