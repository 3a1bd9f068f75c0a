// Whom a silence mutes, in one sentence.
import type { WouldMute } from '../../api/silences';
import { formatCount } from '../../formatting/number';

/** `It mutes 2 alerts now; in the last 30 days it would have muted 5.` */
export function summaryOf({ firing, alerts }: WouldMute): string {
  if (alerts === 0) return 'It mutes nobody: no such alert fires, and none did in the last 30 days.';
  const now = firing === 0 ? 'It mutes no alert now' : `It mutes ${formatCount(firing, 'alert')} now`;
  return `${now}; in the last 30 days it would have muted ${alerts.toLocaleString('en')}.`;
}
