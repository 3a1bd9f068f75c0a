// How often each thing is asked for. One place, so that pages that show the same thing share the answer.
import { queryOptions, type Query } from '@tanstack/react-query';
import { explainAlert, listFlapping, listPending } from './alerts';
import { listRoutedAlerts, listSilences } from './alertmanager';
import { listIncidents, showIncident } from './incidents';
import { listNotifications } from './notifications';
import { listPacks } from './packs';
import { listReceivers } from './receivers';
import { listRuleAlerts, listRuleGroups } from './rules';
import { listRecurrences } from './silences';
import { showStatus } from './status';
import { listTargets } from './targets';

/** Milliseconds between two looks at what changes by the second. */
export const LIVE_MS = 5_000;
/** And while the server does not answer, so that the page is back soon after it. */
const RETRY_MS = 2_000;

/** Asks every `LIVE_MS`, sooner after a failure. */
export function liveInterval(query: { readonly state: Pick<Query['state'], 'status'> }): number {
  return query.state.status === 'error' ? RETRY_MS : LIVE_MS;
}

type Asked = { readonly signal: AbortSignal };

const live = <Data>(name: string, ask: (signal: AbortSignal) => Promise<Data>) =>
  queryOptions({
    queryKey: [name],
    queryFn: ({ signal }: Asked) => ask(signal),
    refetchInterval: liveInterval,
  });

export const statusQuery = live('status', showStatus);
export const routedAlertsQuery = live('routed-alerts', listRoutedAlerts);
export const ruleAlertsQuery = live('rule-alerts', listRuleAlerts);
export const pendingAlertsQuery = live('pending-alerts', listPending);
export const flappingQuery = live('flapping-alerts', listFlapping);
export const ruleGroupsQuery = live('rule-groups', listRuleGroups);
export const silencesQuery = live('silences', listSilences);
export const recurrencesQuery = live('recurrences', listRecurrences);
export const notificationsQuery = live('notifications', listNotifications);
export const receiversQuery = live('receivers', listReceivers);
export const packsQuery = live('packs', listPacks);
export const incidentsQuery = live('incidents', listIncidents);
export const targetsQuery = live('targets', listTargets);

export const explanationQuery = (fingerprint: string) =>
  queryOptions({
    queryKey: ['explanation', fingerprint],
    queryFn: ({ signal }: Asked) => explainAlert(fingerprint, signal),
    refetchInterval: liveInterval,
  });

export const incidentQuery = (id: string) =>
  queryOptions({
    queryKey: ['incident', id],
    queryFn: ({ signal }: Asked) => showIncident(id, signal),
    refetchInterval: liveInterval,
  });
