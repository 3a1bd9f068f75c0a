// The incident that an alert belongs to.
import type { Incident } from '../../api/incidents';
import type { Labels } from '../../formatting/labels';

/** The newest one that is not resolved and whose labels are all the alert's; an incident's labels are those of its group. */
export function incidentOf(labels: Labels, incidents: readonly Incident[]): Incident | undefined {
  const fits = ({ status, labels: wanted }: Incident): boolean => {
    const pairs = Object.entries(wanted);
    return status !== 'resolved' && pairs.length > 0 && pairs.every(([name, value]) => labels[name] === value);
  };
  return incidents.filter(fits).toSorted((a, b) => b.openedAt.localeCompare(a.openedAt))[0];
}
