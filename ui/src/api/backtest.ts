// Backtests: what the rules of a group would have said about a span of time that is stored.
import type { Labels } from '../formatting/labels';
import { sendJson } from './http';

export interface Episode {
  readonly labels: Labels;
  readonly value: string;
  readonly activeAt: string;
  readonly firedAt: string;
  readonly resolvedAt: string | null;
  readonly seconds: number;
}

export interface TestedRule {
  readonly name: string;
  readonly type: 'alerting' | 'recording';
  readonly evaluations: number;
  readonly failures: number;
  readonly lastError: string | null;
  readonly fired: number;
  readonly series: number;
  readonly firingSeconds: number;
  readonly longestSeconds: number;
  readonly flaps: number;
  readonly pendingOnly: number;
  readonly episodes: readonly Episode[];
}

export interface TestedReceiver {
  readonly receiver: string;
  readonly total: number;
  readonly perHour: number;
  readonly hours: readonly { readonly start: string; readonly count: number }[];
}

export interface TestedIncident {
  readonly name: string;
  readonly start: string;
  readonly detectedAt: string | null;
  readonly delaySeconds: number | null;
  readonly alert: string | null;
}

export interface Backtest {
  readonly start: string;
  readonly end: string;
  readonly seconds: number;
  readonly evaluations: number;
  readonly notes: readonly string[];
  readonly rules: readonly TestedRule[];
  readonly notifications: { readonly total: number; readonly receivers: readonly TestedReceiver[] } | null;
  readonly incidents: {
    readonly detected: number;
    readonly missed: number;
    readonly fired: number;
    readonly falseAlarms: number;
    readonly list: readonly TestedIncident[];
  } | null;
}

export interface BacktestQuestion {
  readonly file: string;
  readonly group: string;
  /** How far back, as `30d`. */
  readonly since: string;
  /** A list of what really happened (docs/formats/incident-list.md), as YAML; empty for none. */
  readonly incidents: string;
}

export async function runBacktest(question: BacktestQuestion): Promise<Backtest> {
  const { incidents, ...rest } = question;
  const asked = incidents.trim() === '' ? rest : { ...rest, incidents, incidentsFile: 'incidents.yml' };
  return (await sendJson('POST', '/api/binnacle/v1/rules/backtest', asked)) as Backtest;
}
