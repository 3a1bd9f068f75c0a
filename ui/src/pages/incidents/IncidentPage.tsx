// One incident: where it stands, what happened so far, what fires, and what a person can do.
import { useQuery } from '@tanstack/react-query';
import type { IncidentDetails } from '../../api/incidents';
import { RefusedError } from '../../api/http';
import { incidentQuery } from '../../api/polling';
import { SeverityBadge } from '../../components/Badge';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { PageTitle } from '../../components/PageTitle';
import { TimeText } from '../../components/TimeText';
import { formatDuration } from '../../formatting/duration';
import { parseTime } from '../../formatting/time';
import { IncidentActions } from './IncidentActions';
import { IncidentAlerts } from './IncidentAlerts';
import { StatusBadge } from './StatusBadge';
import { Timeline } from './Timeline';
import '../../components/details.css';
import './incident.css';

export default function IncidentPage({ id }: { readonly id: string }) {
  const incident = useQuery(incidentQuery(id));
  const isMissing = incident.error instanceof RefusedError && incident.error.status === 404;
  return (
    <>
      <p className="breadcrumb">
        <Link href="/incidents">Incidents</Link>
      </p>
      <PageTitle title={incident.data === undefined ? `Incident ${id}` : `#${id} ${incident.data.title}`} />
      {isMissing ? (
        <div className="panel">
          <EmptyState icon="incidents" title={`There is no incident ${id}`}>
            <p>
              <Link href="/incidents">All incidents</Link>
            </p>
          </EmptyState>
        </div>
      ) : (
        <Loaded query={incident} height={420}>
          {(data) => <Details incident={data} />}
        </Loaded>
      )}
    </>
  );
}

function Details({ incident }: { readonly incident: IncidentDetails }) {
  return (
    <div className="details">
      <div className="stack">
        <section className="panel details-facts" aria-label="Where it stands">
          <div className="row">
            <StatusBadge status={incident.status} />
            <SeverityBadge severity={incident.severity} />
            <LabelList labels={incident.labels} />
          </div>
          <Facts incident={incident} />
        </section>
        <section className="panel" aria-label="Timeline">
          <div className="panel-head">
            <h2>Timeline</h2>
          </div>
          <Timeline entries={incident.timeline} omitted={incident.timelineOmitted} />
        </section>
      </div>
      <div className="stack">
        <IncidentActions incident={incident} />
        <IncidentAlerts incident={incident} />
      </div>
    </div>
  );
}

function Facts({ incident }: { readonly incident: IncidentDetails }) {
  const opened = parseTime(incident.openedAt);
  const acknowledged = parseTime(incident.acknowledgedAt);
  const resolved = parseTime(incident.resolvedAt);
  const after = (millis: number): string =>
    opened === null ? '' : `after ${formatDuration(Math.max(0, Math.round((millis - opened) / 1000)))}`;
  return (
    <dl className="facts">
      <div>
        <dt>Opened</dt>
        <dd>
          <TimeText millis={opened} />
          <div className="dim">
            <TimeText millis={opened} form="ago" />
          </div>
        </dd>
      </div>
      <div>
        <dt>Acknowledged</dt>
        <dd>
          {acknowledged === null ? (
            <span className="dim">{incident.status === 'resolved' ? 'by nobody' : 'by nobody yet'}</span>
          ) : (
            <>
              {after(acknowledged)} by {incident.acknowledgedBy ?? 'someone'}
            </>
          )}
        </dd>
      </div>
      <div>
        <dt>Resolved</dt>
        <dd>
          {resolved === null ? (
            <span className="dim">not yet</span>
          ) : (
            <>
              {after(resolved)}
              {(incident.resolvedBy ?? '') === '' ? ', its alerts ended' : ` by ${incident.resolvedBy ?? ''}`}
            </>
          )}
        </dd>
      </div>
    </dl>
  );
}
