// How an alert is named to people.
import { formatSeries, type Labels } from '../../formatting/labels';

interface Named {
  readonly labels: Labels;
  readonly annotations: Labels;
}

/** Its summary, or its name, or its labels. */
export function alertTitle({ labels, annotations }: Named): string {
  return annotations['summary'] ?? labels['alertname'] ?? formatSeries(labels);
}
