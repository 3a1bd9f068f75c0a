// Alerts by name: the worst group first, then the one with the newest alert.
import type { RoutedAlert } from '../../api/alertmanager';
import { compareSeverity, severityOf, SEVERITIES, type Severity } from '../../formatting/severity';

export interface AlertGroup {
  readonly name: string;
  /** The worst of its alerts that are not suppressed; of all where all are. */
  readonly severity: Severity;
  readonly alerts: readonly RoutedAlert[];
}

const isSuppressed = (alert: RoutedAlert): boolean => alert.status.state === 'suppressed';

export function groupAlerts(alerts: readonly RoutedAlert[]): AlertGroup[] {
  const byName = new Map<string, RoutedAlert[]>();
  for (const alert of alerts) {
    const name = alert.labels['alertname'] ?? '(no name)';
    const members = byName.get(name) ?? [];
    members.push(alert);
    byName.set(name, members);
  }
  const groups = [...byName].map(([name, members]): AlertGroup => {
    const sorted = members.toSorted(
      (a, b) => Number(isSuppressed(a)) - Number(isSuppressed(b)) || b.startsAt.localeCompare(a.startsAt),
    );
    const heard = members.filter((alert) => !isSuppressed(alert));
    const severities = (heard.length > 0 ? heard : members).map((alert) => severityOf(alert.labels));
    const severity = SEVERITIES.find((one) => severities.includes(one)) ?? 'medium';
    return { name, severity, alerts: sorted };
  });
  return groups.sort(compareGroups);
}

function compareGroups(a: AlertGroup, b: AlertGroup): number {
  const quiet = (group: AlertGroup): number => Number(group.alerts.every(isSuppressed));
  const newest = (group: AlertGroup): string => group.alerts[0]?.startsAt ?? '';
  return (
    quiet(a) - quiet(b) || compareSeverity(a.severity, b.severity) || newest(b).localeCompare(newest(a))
  );
}
