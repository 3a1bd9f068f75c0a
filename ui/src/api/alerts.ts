// Binnacle's own questions about alerts: why somebody was told of one, what became of them, which wait or flap.
import type { Labels } from '../formatting/labels';
import type { Silence } from './alertmanager';
import { getJson } from './http';
import type { Attempt } from './notifications';

export type Change = 'fired' | 'resolved' | 'suppressed' | 'released' | 'flapping' | 'steady';

export interface AlertEvent {
  readonly at: string;
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly change: Change;
  readonly detail: string;
}

export interface ExplainedRule {
  readonly file: string;
  readonly group: string;
  readonly name: string;
  readonly query: string;
  readonly for: string;
  readonly keepFiringFor: string;
  readonly health: string;
  readonly lastError: string | null;
  readonly annotations: Labels;
  readonly activeAt: string;
  /** Where it is pending: when it fires if its condition goes on to hold. */
  readonly firesAt: string | null;
  readonly keepFiringSince: string | null;
  readonly value: string;
}

export interface ExplainedIntegration {
  /** As `webhook[0]`. */
  readonly name: string;
  /** One sentence; moments in it are RFC 3339. */
  readonly verdict: string;
  readonly groupToldAt: string | null;
  readonly toldFiring: boolean;
  readonly toldResolved: boolean;
  readonly pendingAttempts: number | null;
  readonly nextAttempt: string | null;
  readonly failingSince: string | null;
  readonly error: string | null;
}

export interface ExplainedRoute {
  /** Matchers of all routes down to this one. */
  readonly route: string;
  readonly receiver: string;
  readonly groupKey: string;
  readonly groupLabels: Labels;
  readonly nextFlush: string | null;
  readonly mutedBy: readonly string[];
  readonly groupWait: string;
  readonly groupInterval: string;
  readonly repeatInterval: string;
  readonly integrations: readonly ExplainedIntegration[];
}

export interface Explanation {
  readonly fingerprint: string;
  /** Null where nothing is known of such an alert. */
  readonly labels: Labels | null;
  readonly alert: {
    readonly annotations: Labels;
    readonly startsAt: string;
    readonly endsAt: string;
    readonly updatedAt: string;
    readonly generatorURL: string;
  } | null;
  readonly rule: ExplainedRule | null;
  readonly state: 'pending' | 'active' | 'suppressed' | 'resolved' | 'gone';
  /** Of the routes that it takes, or would take. */
  readonly receivers: readonly string[];
  readonly flapping: boolean;
  readonly inhibitedBy: { readonly fingerprint: string; readonly labels: Labels } | null;
  readonly silencedBy: readonly Silence[];
  readonly routes: readonly ExplainedRoute[];
  readonly attempts: readonly Attempt[];
  readonly history: readonly AlertEvent[];
}

export async function explainAlert(fingerprint: string, signal?: AbortSignal): Promise<Explanation> {
  const path = `/api/binnacle/v1/alerts/${encodeURIComponent(fingerprint)}/explain`;
  return (await getJson(path, {}, signal)) as Explanation;
}

export interface HistoryQuestion {
  /** Matchers, each as `name="value"`. */
  readonly filters: readonly string[];
  /** Seconds since 1970. */
  readonly start: number;
  /** Missing: until now. */
  readonly end?: number;
  readonly limit: number;
}

/** The newest events first. */
export async function listHistory(question: HistoryQuestion, signal?: AbortSignal): Promise<readonly AlertEvent[]> {
  const { filters, start, end, limit } = question;
  const parameters = {
    filter: filters,
    start: String(start),
    limit: String(limit),
    ...(end === undefined ? {} : { end: String(end) }),
  };
  return (await getJson('/api/binnacle/v1/alerts/history', parameters, signal)) as AlertEvent[];
}

export interface PendingAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly group: string;
  readonly name: string;
  readonly value: string;
  readonly activeAt: string;
  readonly firesAt: string;
}

/** A list of which only the beginning may have been sent. */
export interface Part<Item> {
  readonly alerts: number;
  readonly list: readonly Item[];
}

export async function listPending(signal?: AbortSignal): Promise<Part<PendingAlert>> {
  return (await getJson('/api/binnacle/v1/alerts/pending', {}, signal)) as Part<PendingAlert>;
}

/** The fingerprints of alerts whose ends are held back because they come and go. */
export async function listFlapping(signal?: AbortSignal): Promise<ReadonlySet<string>> {
  const answer = (await getJson('/api/binnacle/v1/alerts/flapping', {}, signal)) as Part<{ fingerprint: string }>;
  return new Set(answer.list.map((one) => one.fingerprint));
}
