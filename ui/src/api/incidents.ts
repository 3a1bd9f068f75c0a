// Incidents: list, show, and what a person does to one.
import type { Labels } from '../formatting/labels';
import type { Severity } from '../formatting/severity';
import { getJson, sendJson } from './http';

export type IncidentStatus = 'open' | 'acknowledged' | 'resolved';

export interface Incident {
  readonly id: string;
  readonly status: IncidentStatus;
  readonly severity: Severity;
  readonly title: string;
  readonly labels: Labels;
  readonly openedAt: string;
  readonly acknowledgedAt: string | null;
  readonly acknowledgedBy: string | null;
  readonly resolvedAt: string | null;
  readonly resolvedBy: string | null;
}

export interface TimelineEntry {
  readonly at: string;
  readonly kind: string;
  readonly who: string;
  readonly text: string;
}

export interface IncidentAlert {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly startsAt: string;
}

export interface IncidentDetails extends Incident {
  readonly timeline: readonly TimelineEntry[];
  readonly timelineOmitted: number;
  readonly alerts: readonly IncidentAlert[];
}

const ROOT = '/api/binnacle/v1/incidents';

export async function listIncidents(signal?: AbortSignal): Promise<readonly Incident[]> {
  return (await getJson(ROOT, { timeline: 'false' }, signal)) as Incident[];
}

export async function showIncident(id: string, signal?: AbortSignal): Promise<IncidentDetails> {
  return (await getJson(`${ROOT}/${encodeURIComponent(id)}`, {}, signal)) as IncidentDetails;
}

export type IncidentAction =
  | { readonly kind: 'acknowledge' | 'resolve'; readonly author: string }
  | { readonly kind: 'notes'; readonly author: string; readonly text: string };

/** Does it and answers the incident as it is then. */
export async function actOnIncident(id: string, action: IncidentAction): Promise<IncidentDetails> {
  const { kind, ...body } = action;
  return (await sendJson('POST', `${ROOT}/${encodeURIComponent(id)}/${kind}`, body)) as IncidentDetails;
}
