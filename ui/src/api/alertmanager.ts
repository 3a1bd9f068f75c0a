// Alertmanager's API: alerts as they were routed, and silences.
import type { Labels } from '../formatting/labels';
import { getJson, sendJson } from './http';

export interface RoutedAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly receivers: readonly { readonly name: string }[];
  readonly status: {
    readonly state: 'active' | 'suppressed' | 'unprocessed';
    readonly silencedBy: readonly string[];
    readonly inhibitedBy: readonly string[];
    readonly mutedBy?: readonly string[];
  };
  readonly startsAt: string;
  readonly endsAt: string;
  readonly updatedAt: string;
  readonly fingerprint: string;
  readonly generatorURL?: string;
}

export interface Matcher {
  readonly name: string;
  readonly value: string;
  readonly isRegex: boolean;
  readonly isEqual: boolean;
}

export interface NewSilence {
  readonly matchers: readonly Matcher[];
  readonly startsAt: string;
  readonly endsAt: string;
  readonly createdBy: string;
  readonly comment: string;
  readonly annotations?: Labels;
}

export interface Silence extends NewSilence {
  readonly id: string;
  readonly status: { readonly state: 'active' | 'pending' | 'expired' };
  readonly updatedAt: string;
}

export async function listRoutedAlerts(signal?: AbortSignal): Promise<readonly RoutedAlert[]> {
  return (await getJson('/api/v2/alerts', {}, signal)) as RoutedAlert[];
}

export async function listSilences(signal?: AbortSignal): Promise<readonly Silence[]> {
  return (await getJson('/api/v2/silences', {}, signal)) as Silence[];
}

export async function createSilence(silence: NewSilence): Promise<void> {
  await sendJson('POST', '/api/v2/silences', silence);
}

export async function expireSilence(id: string): Promise<void> {
  await sendJson('DELETE', `/api/v2/silence/${encodeURIComponent(id)}`);
}
