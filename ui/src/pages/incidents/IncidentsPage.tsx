// Every incident, what needs somebody first.
import { useQuery } from '@tanstack/react-query';
import { useDeferredValue } from 'react';
import type { Incident } from '../../api/incidents';
import { incidentsQuery } from '../../api/polling';
import { useParameter } from '../../app/location';
import { SeverityBadge } from '../../components/Badge';
import { Choice } from '../../components/Choice';
import { EmptyState } from '../../components/EmptyState';
import { FilterField } from '../../components/FilterField';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { PageTitle } from '../../components/PageTitle';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { formatDuration } from '../../formatting/duration';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { chooseIncidents, countStatus } from './chooseIncidents';
import { StatusBadge } from './StatusBadge';
import '../../components/table.css';

export default function IncidentsPage() {
  const incidents = useQuery(incidentsQuery);
  const [filter, setFilter] = useParameter('filter', '');
  const [status, setStatus] = useParameter('status', 'all');
  const counts = countStatus(incidents.data ?? []);
  return (
    <>
      <PageTitle title="Incidents" aside={formatCount(counts.all, 'incident')}>
        <FilterField label="Filter incidents" value={filter} onChange={setFilter} />
        <Choice
          label="Status"
          value={status}
          onChange={setStatus}
          options={[
            { value: 'all', label: 'All' },
            { value: 'open', label: 'Open', count: counts.open },
            { value: 'acknowledged', label: 'Taken', count: counts.acknowledged },
            { value: 'resolved', label: 'Resolved', count: counts.resolved },
          ]}
        />
      </PageTitle>
      <div className="panel">
        <Loaded query={incidents} height={420}>
          {(data) => <IncidentTable incidents={data} filter={filter} status={status} />}
        </Loaded>
      </div>
    </>
  );
}

const SHOWN_AT_FIRST = 100;

interface IncidentTableProps {
  readonly incidents: readonly Incident[];
  readonly filter: string;
  readonly status: string;
}

function IncidentTable({ incidents, filter, status }: IncidentTableProps) {
  const chosen = chooseIncidents(incidents, useDeferredValue(filter), status);
  const { shown, more } = useCapped(chosen, SHOWN_AT_FIRST);
  if (incidents.length === 0) {
    return (
      <EmptyState icon="incidents" title="No incident so far">
        <p>
          One opens by itself when an alert fires. <Link href="/rules">Rules</Link> shows what is watched for.
        </p>
      </EmptyState>
    );
  }
  if (chosen.length === 0) return <EmptyState icon="incidents" title="No incident fits the filter" />;
  return (
    <>
      <table className="table table-stacked">
        <thead>
          <tr>
            <th className="fit">Status</th>
            <th className="fit">Severity</th>
            <th>Incident</th>
            <th className="fit">Opened</th>
            <th className="fit number">Lasted</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((incident) => (
            <IncidentRow key={incident.id} incident={incident} />
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}

function IncidentRow({ incident }: { readonly incident: Incident }) {
  const opened = parseTime(incident.openedAt);
  const resolved = parseTime(incident.resolvedAt);
  return (
    <tr>
      <td className="fit">
        <StatusBadge status={incident.status} />
      </td>
      <td className="fit">
        <SeverityBadge severity={incident.severity} />
      </td>
      <td>
        <div style={{ marginBottom: 4 }}>
          <Link href={`/incidents/${incident.id}`}>
            <span className="dim">#{incident.id}</span> {incident.title}
          </Link>
        </div>
        <LabelList labels={incident.labels} />
      </td>
      <td className="fit" data-name="Opened">
        <TimeText millis={opened} form="ago" />
      </td>
      <td className="fit number" data-name="Lasted">
        {opened === null || resolved === null ? (
          <span className="dim">still open</span>
        ) : (
          formatDuration(Math.round((resolved - opened) / 1000))
        )}
      </td>
    </tr>
  );
}
