// The alerts of an incident that fire now, each with the ways to look further.
import { useQuery } from '@tanstack/react-query';
import type { IncidentDetails } from '../../api/incidents';
import { ruleGroupsQuery } from '../../api/polling';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { WhyLink } from '../../components/WhyLink';
import { formatSeries } from '../../formatting/labels';
import { parseTime } from '../../formatting/time';
import { exploreAddress } from '../explore/address';
import { silenceAddress } from '../alerts/silenceAddress';

const SHOWN_AT_FIRST = 20;

export function IncidentAlerts({ incident }: { readonly incident: IncidentDetails }) {
  const name = incident.labels['alertname'];
  const groups = useQuery(ruleGroupsQuery).data ?? [];
  const { shown, more } = useCapped(incident.alerts, SHOWN_AT_FIRST);
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
          {shown.map((alert) => (
            <li key={alert.fingerprint}>
              <LabelList labels={alert.labels} />
              <div className="row" style={{ marginTop: 4 }}>
                <span className="dim">
                  <TimeText millis={parseTime(alert.startsAt)} form="for" />
                </span>
                <Link href={exploreAddress({ query: formatSeries({ ...alert.labels, __name__: 'ALERTS' }), range: '6h' })}>
                  Explore
                </Link>
                <Link href={silenceAddress(alert.labels)}>Silence</Link>
                <WhyLink fingerprint={alert.fingerprint} name={alert.labels['alertname']} />
              </div>
            </li>
          ))}
        </ul>
      )}
      {more}
    </section>
  );
}
