// Binnacle's own about silences: those that come again, and whom one would mute.
import type { Labels } from '../formatting/labels';
import type { Matcher } from './alertmanager';
import { getJson, sendJson } from './http';

/** The annotation of a silence that says which recurring one made it. */
export const RECURRENCE = 'binnacle_recurrence';
/** The annotation of a silence that says how long before its end somebody is reminded. */
export const REMIND_BEFORE = 'binnacle_remind_before';
/** The alert that reminds; its label `silence` is the silence's id. */
export const REMINDER = 'BinnacleSilenceExpiring';

/** An entry of `time_intervals`. */
export interface TimeWindow {
  readonly times?: readonly { readonly start_time: string; readonly end_time: string }[];
  readonly weekdays?: readonly string[];
  readonly days_of_month?: readonly string[];
  readonly months?: readonly string[];
  readonly years?: readonly string[];
  readonly location?: string;
}

export interface NewRecurrence {
  /** Empty: a new one. */
  readonly id: string;
  readonly matchers: readonly Matcher[];
  /** A text where somebody wrote it as YAML. */
  readonly window: TimeWindow | string;
  readonly until: string | null;
  readonly createdBy: string;
  readonly comment: string;
}

export interface Recurrence extends NewRecurrence {
  readonly createdAt: string;
  /** When the window opens next; null where it does not within two years. */
  readonly next: string | null;
}

const RECURRING = '/api/binnacle/v1/silences/recurring';

export async function listRecurrences(signal?: AbortSignal): Promise<readonly Recurrence[]> {
  return (await getJson(RECURRING, {}, signal)) as Recurrence[];
}

export async function putRecurrence(recurrence: NewRecurrence): Promise<void> {
  await sendJson('POST', RECURRING, recurrence);
}

export async function endRecurrence(id: string): Promise<void> {
  await sendJson('DELETE', `${RECURRING}/${encodeURIComponent(id)}`);
}

export interface MutedAlert {
  readonly labels: Labels;
  readonly fingerprint: string;
  readonly firing: boolean;
  /** How often it began. */
  readonly fired: number;
  readonly last: string;
}

export interface WouldMute {
  readonly since: string;
  readonly firing: number;
  readonly alerts: number;
  /** Only the first ones. */
  readonly list: readonly MutedAlert[];
}

/** `filters`: matchers, each as `name="value"`. */
export async function wouldMute(filters: readonly string[], signal?: AbortSignal): Promise<WouldMute> {
  return (await getJson('/api/binnacle/v1/silences/would-mute', { filter: filters }, signal)) as WouldMute;
}
