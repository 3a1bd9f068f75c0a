// How bad an alert is, told from its labels in the same way as the server tells it for incidents.
import type { Labels } from './labels';

export type Severity = 'critical' | 'high' | 'medium' | 'low';

/** From the worst to the least. */
export const SEVERITIES: readonly Severity[] = ['critical', 'high', 'medium', 'low'];

/** The short names that people on call use. */
export const PRIORITY: Readonly<Record<Severity, string>> = {
  critical: 'P0',
  high: 'P1',
  medium: 'P2',
  low: 'P3',
};

const WORDS: Readonly<Record<Severity, readonly string[]>> = {
  critical: ['critical', 'page', 'emergency', 'disaster', 'fatal', 'p0', 'sev1'],
  high: ['high', 'error', 'major', 'p1', 'sev2'],
  medium: ['medium', 'warning', 'warn', 'average', 'ticket', 'p2', 'sev3'],
  low: ['low', 'minor', 'info', 'notice', 'none', 'debug', 'p3', 'sev4'],
};

/** Anything unknown, and no label at all, is medium. */
export function severityOf(labels: Labels): Severity {
  const word = (labels['severity'] ?? labels['priority'] ?? '').toLowerCase();
  return SEVERITIES.find((severity) => WORDS[severity].includes(word)) ?? 'medium';
}

/** Orders the worst first. */
export function compareSeverity(a: Severity, b: Severity): number {
  return SEVERITIES.indexOf(a) - SEVERITIES.indexOf(b);
}
