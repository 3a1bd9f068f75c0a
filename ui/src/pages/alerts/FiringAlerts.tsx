// What fires, by alert name, the worst first; what is silenced or inhibited stays visible and says why.
import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { RoutedAlert } from '../../api/alertmanager';
import { flappingQuery, routedAlertsQuery } from '../../api/polling';
import { Badge, SeverityBadge } from '../../components/Badge';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { WhyLink } from '../../components/WhyLink';
import { matchesFilter } from '../../formatting/matchText';
import { parseTime } from '../../formatting/time';
import { AnnotationText } from './AnnotationText';
import { exploreOfGenerator } from './generator';
import { groupAlerts, type AlertGroup } from './groupAlerts';
import { formatMatchers, matchersOf } from './matchers';

/** Alerts of one name, and names, shown at first. */
const SHOWN_AT_FIRST = 20;
const GROUPS_AT_FIRST = 50;

interface FiringAlertsProps {
  readonly filter: string;
  readonly onSilence: (draft: string) => void;
}

export function FiringAlerts({ filter, onSilence }: FiringAlertsProps) {
  const alerts = useQuery(routedAlertsQuery);
  const flapping = useQuery(flappingQuery).data;
  return (
    <Loaded query={alerts} height={420}>
      {(data) => {
        const chosen = data.filter((alert) =>
          matchesFilter(filter, alert.labels, Object.values(alert.annotations).join('\n')),
        );
        if (data.length === 0) return <AllCalm />;
        if (chosen.length === 0) return <NothingFits />;
        return <GroupList groups={groupAlerts(chosen)} flapping={flapping} onSilence={onSilence} />;
      }}
    </Loaded>
  );
}

interface GroupListProps {
  readonly groups: readonly AlertGroup[];
  /** Fingerprints of alerts that come and go; missing while that is not known. */
  readonly flapping: ReadonlySet<string> | undefined;
  readonly onSilence: (draft: string) => void;
}

function GroupList({ groups, flapping, onSilence }: GroupListProps) {
  const { shown, more } = useCapped(groups, GROUPS_AT_FIRST);
  return (
    <div className="stack">
      {shown.map((group) => (
        <GroupPanel key={group.name} group={group} flapping={flapping} onSilence={onSilence} />
      ))}
      {more !== null && <div className="panel">{more}</div>}
    </div>
  );
}

function AllCalm() {
  return (
    <div className="panel">
      <EmptyState icon="alerts" title="Nothing fires">
        <p>
          <Link href="/rules">Rules</Link> shows what is watched for and when it was last looked at.
        </p>
      </EmptyState>
    </div>
  );
}

export function NothingFits() {
  return (
    <div className="panel">
      <EmptyState icon="alerts" title="No alert fits the filter">
        <p>
          Words are sought in labels and texts; <code>severity="critical"</code> and <code>instance=~"db.*"</code>{' '}
          work as in PromQL.
        </p>
      </EmptyState>
    </div>
  );
}

interface GroupPanelProps {
  readonly group: AlertGroup;
  readonly flapping: ReadonlySet<string> | undefined;
  readonly onSilence: (draft: string) => void;
}

function GroupPanel({ group, flapping, onSilence }: GroupPanelProps) {
  const { shown, more } = useCapped(group.alerts, SHOWN_AT_FIRST);
  return (
    <section className="panel" aria-label={group.name}>
      <div className="panel-head">
        <div className="row">
          <SeverityBadge severity={group.severity} />
          <h2>{group.name}</h2>
          {group.alerts.length > 1 && <span className="dim">{group.alerts.length} alerts</span>}
        </div>
        <Link href={`/rules?filter=${encodeURIComponent(group.name)}`}>Rule</Link>
      </div>
      <ul className="alert-list">
        {shown.map((alert) => (
          <AlertItem
            key={alert.fingerprint}
            alert={alert}
            isFlapping={flapping?.has(alert.fingerprint) ?? false}
            onSilence={onSilence}
          />
        ))}
      </ul>
      {more}
    </section>
  );
}

interface AlertItemProps {
  readonly alert: RoutedAlert;
  readonly isFlapping: boolean;
  readonly onSilence: (draft: string) => void;
}

function AlertItem({ alert, isFlapping, onSilence }: AlertItemProps) {
  const explore = exploreOfGenerator(alert.generatorURL);
  return (
    <li className={alert.status.state === 'suppressed' ? 'alert alert-suppressed' : 'alert'}>
      <div className="alert-text">
        <AnnotationText annotations={alert.annotations} />
        <LabelList labels={alert.labels} skip={['alertname']} />
        <Suppression alert={alert} isFlapping={isFlapping} />
      </div>
      <div className="alert-side">
        <span>
          <TimeText millis={parseTime(alert.startsAt)} form="for" />
        </span>
        <span className="dim">to {alert.receivers.map((receiver) => receiver.name).join(', ') || 'nobody'}</span>
        <div className="row">
          <WhyLink fingerprint={alert.fingerprint} name={alert.labels['alertname']} />
          {explore !== null && <Link href={explore}>Explore</Link>}
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`Silence ${alert.labels['alertname'] ?? 'this alert'}`}
            onClick={() => onSilence(`{${formatMatchers(matchersOf(alert.labels))}}`)}
          >
            Silence
          </Button>
        </div>
      </div>
    </li>
  );
}

interface SuppressionProps {
  readonly alert: RoutedAlert;
  readonly isFlapping: boolean;
}

function Suppression({ alert, isFlapping }: SuppressionProps) {
  const { silencedBy, inhibitedBy, mutedBy = [], state } = alert.status;
  const isHeard = state !== 'suppressed' && silencedBy.length + inhibitedBy.length + mutedBy.length === 0;
  if (isHeard && !isFlapping) return null;
  return (
    <div className="row">
      {isFlapping && (
        <>
          <Badge tone="medium">flapping</Badge>
          <span className="dim">comes and goes; its ends are held back</span>
        </>
      )}
      {silencedBy.length > 0 && (
        <>
          <Badge tone="low">silenced</Badge>
          <Link href={`/alerts?view=silences&filter=${encodeURIComponent(silencedBy[0] ?? '')}`}>by which silence</Link>
        </>
      )}
      {inhibitedBy.length > 0 && (
        <>
          <Badge tone="low">inhibited</Badge>
          <Link href={`/alerts/${inhibitedBy[0] ?? ''}`}>by which alert</Link>
        </>
      )}
      {mutedBy.length > 0 && <Badge tone="low">muted by {mutedBy.join(', ')}</Badge>}
    </div>
  );
}
