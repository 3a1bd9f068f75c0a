// Four numbers that say whether somebody must act, each a link to its page.
import { useQuery } from '@tanstack/react-query';
import { incidentsQuery, routedAlertsQuery, ruleAlertsQuery, targetsQuery } from '../../api/polling';
import { Link } from '../../components/Link';

interface TileProps {
  readonly href: string;
  readonly name: string;
  readonly value: number | undefined;
  readonly tone: 'good' | 'critical' | 'medium';
  readonly note: string;
}

function Tile({ href, name, value, tone, note }: TileProps) {
  const lit = value !== undefined && value > 0 ? `tile tone-${tone} tile-lit` : 'tile';
  return (
    <Link href={href} className={lit}>
      <span className="tile-name">{name}</span>
      <span className="tile-value">{value?.toLocaleString('en') ?? '–'}</span>
      <span className="tile-note">{note}</span>
    </Link>
  );
}

export function Summary() {
  const alerts = useQuery(routedAlertsQuery);
  const pending = useQuery(ruleAlertsQuery).data?.filter((alert) => alert.state === 'pending').length;
  const incidents = useQuery(incidentsQuery);
  const targets = useQuery(targetsQuery).data?.activeTargets;
  const firing = alerts.data?.filter((alert) => alert.status.state !== 'suppressed').length;
  const suppressed = (alerts.data?.length ?? 0) - (firing ?? 0);
  const open = incidents.data?.filter((incident) => incident.status === 'open').length;
  const acknowledged = incidents.data?.filter((incident) => incident.status === 'acknowledged').length ?? 0;
  const down = targets?.filter((target) => target.health === 'down').length;
  const up = targets?.filter((target) => target.health === 'up').length;
  return (
    <section className="tiles" aria-label="Summary">
      <Tile
        href="/alerts"
        name="Alerts firing"
        value={firing}
        tone="critical"
        note={suppressed > 0 ? `${suppressed} silenced or inhibited` : 'none silenced'}
      />
      <Tile
        href="/alerts?view=pending"
        name="Alerts pending"
        value={pending}
        tone="medium"
        note="waiting to fire"
      />
      <Tile
        href="/incidents"
        name="Incidents open"
        value={open}
        tone="critical"
        note={acknowledged > 0 ? `${acknowledged} more acknowledged` : 'none acknowledged'}
      />
      <Tile
        href={(down ?? 0) > 0 ? '/targets?health=down' : '/targets'}
        name="Targets down"
        value={down}
        tone="critical"
        note={up === undefined ? ' ' : `${up} up`}
      />
    </section>
  );
}
