// Alerts whose condition holds, but not for long enough yet; those that fire soonest first.
import { useQuery } from '@tanstack/react-query';
import type { PendingAlert } from '../../api/alerts';
import { pendingAlertsQuery } from '../../api/polling';
import { parseFloatText } from '../../api/query';
import { SeverityBadge } from '../../components/Badge';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { WhyLink } from '../../components/WhyLink';
import { matchesFilter } from '../../formatting/matchText';
import { formatNumber } from '../../formatting/number';
import { severityOf } from '../../formatting/severity';
import { parseTime } from '../../formatting/time';
import { AnnotationText } from './AnnotationText';
import { NothingFits } from './FiringAlerts';

const SHOWN_AT_FIRST = 50;

export function PendingAlerts({ filter }: { readonly filter: string }) {
  const alerts = useQuery(pendingAlertsQuery);
  return (
    <Loaded query={alerts} height={420}>
      {({ list, alerts: count }) => {
        const chosen = list.filter((alert) =>
          matchesFilter(filter, alert.labels, Object.values(alert.annotations).join('\n')),
        );
        if (list.length === 0) {
          return (
            <div className="panel">
              <EmptyState icon="clock" title="Nothing is pending">
                <p>Here stands what will fire if its condition goes on to hold.</p>
              </EmptyState>
            </div>
          );
        }
        if (chosen.length === 0) return <NothingFits />;
        return <PendingList alerts={chosen} left={count - list.length} />;
      }}
    </Loaded>
  );
}

function PendingList({ alerts, left }: { readonly alerts: readonly PendingAlert[]; readonly left: number }) {
  const { shown, more } = useCapped(alerts, SHOWN_AT_FIRST);
  return (
    <div className="panel">
      <ul className="alert-list">
        {shown.map((alert) => (
          <PendingItem key={alert.fingerprint} alert={alert} />
        ))}
      </ul>
      {more}
      {left > 0 && <p className="capped dim">{left.toLocaleString('en')} more fire later and are not listed.</p>}
    </div>
  );
}

function PendingItem({ alert }: { readonly alert: PendingAlert }) {
  return (
    <li className="alert">
      <div className="alert-text">
        <div className="row">
          <SeverityBadge severity={severityOf(alert.labels)} />
          <strong>{alert.labels['alertname'] ?? alert.name}</strong>
        </div>
        <AnnotationText annotations={alert.annotations} />
        <LabelList labels={alert.labels} skip={['alertname']} />
      </div>
      <div className="alert-side">
        <span>
          fires <TimeText millis={parseTime(alert.firesAt)} form="left" />
        </span>
        <span className="dim">
          holds <TimeText millis={parseTime(alert.activeAt)} form="for" />, value {formatNumber(parseFloatText(alert.value))}
        </span>
        <div className="row">
          <WhyLink fingerprint={alert.fingerprint} name={alert.labels['alertname']} />
          <Link href={`/rules?filter=${encodeURIComponent(alert.name)}`}>Rule</Link>
        </div>
      </div>
    </li>
  );
}
