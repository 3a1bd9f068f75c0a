// What stands beside an explanation: what mutes the alert, the rule that it comes from, what it says of itself.
import type { ReactNode } from 'react';
import type { Explanation } from '../../api/alerts';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { TimeText } from '../../components/TimeText';
import { parseTime } from '../../formatting/time';
import { AnnotationText } from '../alerts/AnnotationText';
import { exploreOfGenerator } from '../alerts/generator';
import { formatMatchers } from '../alerts/matchers';
import { exploreAddress } from '../explore/address';

interface PanelProps {
  readonly explanation: Explanation;
}

export function SuppressionPanel({ explanation: { inhibitedBy, silencedBy } }: PanelProps) {
  if (inhibitedBy === null && silencedBy.length === 0) return null;
  return (
    <SidePanel title="What mutes it">
      {inhibitedBy !== null && (
        <div>
          <p>
            Inhibited by{' '}
            <Link href={`/alerts/${inhibitedBy.fingerprint}`}>{inhibitedBy.labels['alertname'] ?? 'another alert'}</Link>
          </p>
          <LabelList labels={inhibitedBy.labels} skip={['alertname']} />
        </div>
      )}
      {silencedBy.map((silence) => (
        <div key={silence.id}>
          <p>
            <Link href={`/alerts?view=silences&filter=${encodeURIComponent(silence.id)}`}>
              Silence of {silence.createdBy}
            </Link>
            , ends <TimeText millis={parseTime(silence.endsAt)} form="left" />
          </p>
          <p>{silence.comment}</p>
          <code>{formatMatchers(silence.matchers)}</code>
        </div>
      ))}
    </SidePanel>
  );
}

export function RulePanel({ explanation: { rule, labels, alert, state } }: PanelProps) {
  const name = rule?.name ?? labels?.['alertname'] ?? '';
  const explore = exploreOfGenerator(alert?.generatorURL);
  if (rule === null) {
    return (
      <SidePanel title="Rule">
        <p>
          {state === 'gone' || state === 'resolved'
            ? 'No rule here makes it fire any more.'
            : 'No rule here makes it fire: another program sends it.'}
        </p>
        <div className="row">
          {explore !== null && <Link href={explore}>Explore its expression</Link>}
          {name !== '' && <Link href={`/rules?filter=${encodeURIComponent(name)}`}>Rules with this name</Link>}
        </div>
      </SidePanel>
    );
  }
  return (
    <SidePanel title="Rule">
      <p>
        <Link href={`/rules?filter=${encodeURIComponent(name)}`}>{name}</Link> of group {rule.group}
      </p>
      <Link className="alert-query mono" href={exploreAddress({ query: rule.query })} title="Open in Explore">
        {rule.query}
      </Link>
      <p className="dim">
        {rule.for === '0s' ? 'fires at once' : `fires after ${rule.for}`}
        {rule.keepFiringFor !== '0s' && `, is kept firing for ${rule.keepFiringFor}`}
      </p>
      {rule.keepFiringSince !== null && (
        <p>
          Its condition does not hold any more; it is kept firing since <TimeText millis={parseTime(rule.keepFiringSince)} />.
        </p>
      )}
      {rule.lastError !== null && rule.lastError !== '' && <p className="table-note">It fails: {rule.lastError}</p>}
      <p className="dim mono alert-file">{rule.file}</p>
    </SidePanel>
  );
}

export function AboutPanel({ explanation: { alert, rule } }: PanelProps) {
  const annotations = alert?.annotations ?? rule?.annotations ?? {};
  if (Object.keys(annotations).length === 0) return null;
  return (
    <SidePanel title="What it says">
      <AnnotationText annotations={annotations} />
    </SidePanel>
  );
}

function SidePanel({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section className="panel" aria-label={title}>
      <div className="panel-head">
        <h2>{title}</h2>
      </div>
      <div className="panel-body alert-about">{children}</div>
    </section>
  );
}
