// The worst of what fires and the newest of what is open, side by side.
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { incidentsQuery, routedAlertsQuery } from '../../api/polling';
import { SeverityBadge } from '../../components/Badge';
import { Link } from '../../components/Link';
import { TimeText } from '../../components/TimeText';
import { compareSeverity, severityOf } from '../../formatting/severity';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { alertTitle } from '../alerts/alertText';
import { compareIncidents } from '../incidents/chooseIncidents';

/** Lines of each list; the lists keep the height of this many so that nothing moves when one is added. */
const LINES_MAX = 3;

export function Attention() {
  const alerts = useQuery(routedAlertsQuery);
  const incidents = useQuery(incidentsQuery);
  const firing = (alerts.data ?? [])
    .filter((alert) => alert.status.state !== 'suppressed')
    .map((alert) => ({ alert, severity: severityOf(alert.labels) }))
    .sort((a, b) => compareSeverity(a.severity, b.severity) || b.alert.startsAt.localeCompare(a.alert.startsAt));
  const open = (incidents.data ?? []).filter((incident) => incident.status !== 'resolved').sort(compareIncidents);
  return (
    <div className="attention">
      <ShortList
        title="Firing"
        href="/alerts"
        count={firing.length}
        noun="alert"
        calm={alerts.data === undefined ? '' : 'Nothing fires.'}
      >
        {firing.slice(0, LINES_MAX).map(({ alert, severity }) => (
          <li key={alert.fingerprint}>
            <SeverityBadge severity={severity} />
            <Link href={`/alerts/${alert.fingerprint}`} className="short-line">
              {alertTitle(alert)}
            </Link>
            <span className="dim">
              <TimeText millis={parseTime(alert.startsAt)} form="ago" />
            </span>
          </li>
        ))}
      </ShortList>
      <ShortList
        title="Open incidents"
        href="/incidents"
        count={open.length}
        noun="incident"
        calm={incidents.data === undefined ? '' : 'No incident is open.'}
      >
        {open.slice(0, LINES_MAX).map((incident) => (
          <li key={incident.id}>
            <SeverityBadge severity={incident.severity} />
            <Link href={`/incidents/${incident.id}`} className="short-line">
              {incident.title}
            </Link>
            <span className="dim">
              <TimeText millis={parseTime(incident.openedAt)} form="ago" />
            </span>
          </li>
        ))}
      </ShortList>
    </div>
  );
}

interface ShortListProps {
  readonly title: string;
  readonly href: string;
  readonly count: number;
  readonly noun: string;
  readonly calm: string;
  readonly children: ReactNode;
}

function ShortList({ title, href, count, noun, calm, children }: ShortListProps) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
        {count > LINES_MAX && <Link href={href}>All {formatCount(count, noun)}</Link>}
      </div>
      {count === 0 ? <p className="short-list short-calm">{calm}</p> : <ul className="short-list">{children}</ul>}
    </section>
  );
}
