// Which incidents a filter leaves, in the order in which they need somebody.
import type { Incident, IncidentStatus } from '../../api/incidents';
import { matchesFilter } from '../../formatting/matchText';
import { compareSeverity } from '../../formatting/severity';

const RANK: Readonly<Record<IncidentStatus, number>> = { open: 0, acknowledged: 1, resolved: 2 };

/** Open before taken before resolved; the worst first while not resolved; then the newest first. */
export function compareIncidents(a: Incident, b: Incident): number {
  const byStatus = RANK[a.status] - RANK[b.status];
  if (byStatus !== 0) return byStatus;
  const bySeverity = a.status === 'resolved' ? 0 : compareSeverity(a.severity, b.severity);
  return bySeverity || b.openedAt.localeCompare(a.openedAt);
}

export function chooseIncidents(incidents: readonly Incident[], filter: string, status: string): Incident[] {
  return incidents
    .filter((incident) => status === 'all' || incident.status === status)
    .filter((incident) => matchesFilter(filter, incident.labels, `#${incident.id} ${incident.title}\n${incident.severity}`))
    .sort(compareIncidents);
}

export function countStatus(incidents: readonly Incident[]): Record<IncidentStatus | 'all', number> {
  const count = (status: IncidentStatus): number => incidents.filter((one) => one.status === status).length;
  return {
    all: incidents.length,
    open: count('open'),
    acknowledged: count('acknowledged'),
    resolved: count('resolved'),
  };
}
