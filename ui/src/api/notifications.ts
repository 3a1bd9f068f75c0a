// What was told to whom, and what could not be.
import type { Labels } from '../formatting/labels';
import { getJson } from './http';

export interface Attempt {
  readonly at: string;
  readonly receiver: string;
  readonly integration: string;
  readonly groupKey: string;
  /** Why it was sent: `first notification`, `new alerts` … */
  readonly reason: string;
  /** Counts from 1. */
  readonly attempt: number;
  /** Fingerprints of its alerts, the first twenty. */
  readonly alerts: readonly string[];
  readonly firing: number;
  readonly resolved: number;
  readonly outcome: 'delivered' | 'failed';
  readonly error: string | null;
}

export interface Undelivered {
  readonly fingerprint: string;
  readonly labels: Labels;
  readonly receivers: readonly string[];
  readonly since: string;
}

export interface Notifications {
  readonly attempts: readonly Attempt[];
  readonly undelivered: readonly Undelivered[];
}

export async function listNotifications(signal?: AbortSignal): Promise<Notifications> {
  return (await getJson('/api/binnacle/v1/notifications', {}, signal)) as Notifications;
}
