// Where an incident stands, as a word in a colour.
import type { IncidentStatus } from '../../api/incidents';
import { Badge, type Tone } from '../../components/Badge';

const TONES: Readonly<Record<IncidentStatus, Tone>> = { open: 'critical', acknowledged: 'medium', resolved: 'good' };

export function StatusBadge({ status }: { readonly status: IncidentStatus }) {
  return <Badge tone={TONES[status]}>{status}</Badge>;
}
