// Rule groups, and alerts as the rules see them (pending and firing).
import type { Labels } from '../formatting/labels';
import { unwrap } from './envelope';
import { getJson } from './http';

export interface RuleAlert {
  readonly labels: Labels;
  readonly annotations: Labels;
  readonly state: 'inactive' | 'pending' | 'firing';
  readonly activeAt: string;
  readonly keepFiringSince?: string;
  readonly value: string;
}

interface CommonRule {
  readonly name: string;
  readonly query: string;
  readonly labels?: Labels;
  readonly health: string;
  readonly lastError?: string;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export interface AlertingRule extends CommonRule {
  readonly type: 'alerting';
  readonly state: 'inactive' | 'pending' | 'firing' | 'unknown';
  readonly duration: number;
  readonly keepFiringFor?: number;
  readonly annotations?: Labels;
  readonly alerts: readonly RuleAlert[];
}

export interface RecordingRule extends CommonRule {
  readonly type: 'recording';
}

export type Rule = AlertingRule | RecordingRule;

export interface RuleGroup {
  readonly name: string;
  readonly file: string;
  readonly rules: readonly Rule[];
  readonly interval: number;
  readonly evaluationTime: number;
  readonly lastEvaluation: string;
}

export async function listRuleGroups(signal?: AbortSignal): Promise<readonly RuleGroup[]> {
  return unwrap<{ groups: RuleGroup[] }>(await getJson('/api/v1/rules', {}, signal)).data.groups;
}

export async function listRuleAlerts(signal?: AbortSignal): Promise<readonly RuleAlert[]> {
  return unwrap<{ alerts: RuleAlert[] }>(await getJson('/api/v1/alerts', {}, signal)).data.alerts;
}
