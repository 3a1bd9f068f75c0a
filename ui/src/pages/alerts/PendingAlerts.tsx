// Alerts whose condition holds, but not for long enough yet.
import { useQuery } from '@tanstack/react-query';
import { ruleAlertsQuery } from '../../api/polling';
import type { RuleAlert } from '../../api/rules';
import { SeverityBadge } from '../../components/Badge';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import { formatSeries } from '../../formatting/labels';
import { matchesFilter } from '../../formatting/matchText';
import { formatNumber } from '../../formatting/number';
import { severityOf } from '../../formatting/severity';
import { parseTime } from '../../formatting/time';
import { AnnotationText } from './AnnotationText';
import { NothingFits } from './FiringAlerts';

export function PendingAlerts({ filter }: { readonly filter: string }) {
  const alerts = useQuery(ruleAlertsQuery);
  return (
    <Loaded query={alerts} height={420}>
      {(data) => {
        const pending = data.filter((alert) => alert.state === 'pending');
        const chosen = pending.filter((alert) =>
          matchesFilter(filter, alert.labels, Object.values(alert.annotations).join('\n')),
        );
        if (pending.length === 0) {
          return (
            <div className="panel">
              <EmptyState icon="clock" title="Nothing is pending">
                <p>Here stands what will fire if its condition goes on to hold.</p>
              </EmptyState>
            </div>
          );
        }
        if (chosen.length === 0) return <NothingFits />;
        return (
          <ul className="panel alert-list">
            {chosen.map((alert) => (
              <PendingAlert key={formatSeries(alert.labels)} alert={alert} />
            ))}
          </ul>
        );
      }}
    </Loaded>
  );
}

function PendingAlert({ alert }: { readonly alert: RuleAlert }) {
  const name = alert.labels['alertname'] ?? '';
  return (
    <li className="alert">
      <div className="alert-text">
        <div className="row">
          <SeverityBadge severity={severityOf(alert.labels)} />
          <strong>{name}</strong>
        </div>
        <AnnotationText annotations={alert.annotations} />
        <LabelList labels={alert.labels} skip={['alertname']} />
      </div>
      <div className="alert-side">
        <span>
          <TimeText millis={parseTime(alert.activeAt)} form="for" />
        </span>
        <span className="dim">value {formatNumber(Number(alert.value))}</span>
        <Link href={`/rules?filter=${encodeURIComponent(name)}`}>Rule</Link>
      </div>
    </li>
  );
}
