// A word in a colour: states and severities. The colour never stands alone.
import type { ReactNode } from 'react';
import { PRIORITY, type Severity } from '../formatting/severity';
import './banner.css';

export type Tone = Severity | 'good';

export function Badge({ tone, children }: { readonly tone: Tone; readonly children: ReactNode }) {
  return <span className={`badge tone-${tone}`}>{children}</span>;
}

export function SeverityBadge({ severity }: { readonly severity: Severity }) {
  return (
    <Badge tone={severity}>
      {PRIORITY[severity]} {severity}
    </Badge>
  );
}
