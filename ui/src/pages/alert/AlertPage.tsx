// One alert: why somebody was told of it or was not, and everything that decides about that.
import { useQuery } from '@tanstack/react-query';
import type { Explanation } from '../../api/alerts';
import { RefusedError } from '../../api/http';
import { explanationQuery, incidentsQuery } from '../../api/polling';
import { parseFloatText } from '../../api/query';
import { Badge, SeverityBadge, type Tone } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { PageTitle } from '../../components/PageTitle';
import { Sentence } from '../../components/Sentence';
import { TimeText } from '../../components/TimeText';
import type { Labels } from '../../formatting/labels';
import { formatNumber } from '../../formatting/number';
import { severityOf } from '../../formatting/severity';
import { parseTime } from '../../formatting/time';
import { silenceAddress } from '../alerts/silenceAddress';
import { AlertHistory } from './AlertHistory';
import { AttemptTable } from './AttemptTable';
import { incidentOf } from './incidentOf';
import { RoutePanel } from './RoutePanel';
import { AboutPanel, RulePanel, SuppressionPanel } from './SidePanels';
import { verdictOf } from './verdict';
import '../../components/details.css';
import '../../components/table.css';
import './alert.css';

export default function AlertPage({ fingerprint }: { readonly fingerprint: string }) {
  const explanation = useQuery(explanationQuery(fingerprint));
  const { data, error } = explanation;
  const isUnknown = data?.labels === null || (error instanceof RefusedError && error.kind === 'bad_data');
  const name = data?.labels?.['alertname'] ?? `Alert ${fingerprint}`;
  return (
    <>
      <p className="breadcrumb">
        <Link href="/alerts">Alerts</Link>
      </p>
      <PageTitle title={name} aside={data?.labels == null ? undefined : <code>{fingerprint}</code>}>
        {data?.labels != null && (
          <>
            {data.state !== 'gone' && <IncidentLink labels={data.labels} />}
            <Link href={`/alerts?view=history&filter=${encodeURIComponent(`alertname="${name}"`)}`}>
              All alerts of this name
            </Link>
            {(data.state === 'active' || data.state === 'pending') && (
              <Link href={silenceAddress(data.labels)}>Silence it</Link>
            )}
          </>
        )}
      </PageTitle>
      {isUnknown ? (
        <Unknown fingerprint={fingerprint} />
      ) : (
        <Loaded query={explanation} height={420}>
          {(explained) => <Explained explanation={explained} />}
        </Loaded>
      )}
    </>
  );
}

function IncidentLink({ labels }: { readonly labels: Labels }) {
  const incident = incidentOf(labels, useQuery(incidentsQuery).data ?? []);
  return incident === undefined ? null : <Link href={`/incidents/${incident.id}`}>Incident #{incident.id}</Link>;
}

function Unknown({ fingerprint }: { readonly fingerprint: string }) {
  return (
    <div className="panel">
      <EmptyState icon="alerts" title={`Nothing is known of an alert ${fingerprint}`}>
        <p>
          It never fired here, or so long ago that its history is not kept any more.{' '}
          <Link href="/alerts?view=history">The history of all alerts</Link>
        </p>
      </EmptyState>
    </div>
  );
}

const STATES: Readonly<Record<Explanation['state'], { readonly word: string; readonly tone: Tone }>> = {
  pending: { word: 'pending', tone: 'medium' },
  active: { word: 'firing', tone: 'critical' },
  suppressed: { word: 'firing, muted', tone: 'low' },
  resolved: { word: 'resolved', tone: 'good' },
  gone: { word: 'over', tone: 'low' },
};

function Explained({ explanation }: { readonly explanation: Explanation }) {
  const verdict = verdictOf(explanation);
  const { routes, attempts, history, state } = explanation;
  return (
    <div className="stack">
      {verdict !== null && <Banner tone={verdict.tone} title={<Sentence text={verdict.text} />} />}
      <div className="details">
        <div className="stack">
          <Facts explanation={explanation} />
          {routes.map((route) => (
            <RoutePanel key={route.groupKey} route={route} isOver={state === 'resolved'} />
          ))}
          <AttemptTable attempts={attempts} />
          <AlertHistory events={history} />
        </div>
        <div className="stack">
          <SuppressionPanel explanation={explanation} />
          <RulePanel explanation={explanation} />
          <AboutPanel explanation={explanation} />
        </div>
      </div>
    </div>
  );
}

function Facts({ explanation }: { readonly explanation: Explanation }) {
  const { labels, state, flapping, alert, rule, history } = explanation;
  const { word, tone } = STATES[state];
  const value = rule === null ? null : parseFloatText(rule.value);
  const since = alert?.startsAt ?? rule?.activeAt ?? history.at(-1)?.at;
  return (
    <section className="panel details-facts" aria-label="Where it stands">
      <div className="row">
        <Badge tone={tone}>{word}</Badge>
        {state !== 'gone' && <SeverityBadge severity={severityOf(labels ?? {})} />}
        {flapping && <Badge tone="medium">flapping</Badge>}
        <LabelList labels={labels ?? {}} skip={['alertname']} />
      </div>
      {flapping && (
        <p className="alert-flapping dim">
          It comes and goes so often that its ends are held back until it is steady; a beginning is never held back.
        </p>
      )}
      <dl className="facts">
        <div>
          <dt>{state === 'pending' ? 'Its condition holds since' : state === 'gone' ? 'First known' : 'Began'}</dt>
          <dd>
            <TimeText millis={parseTime(since)} />
            <div className="dim">
              <TimeText millis={parseTime(since)} form="ago" />
            </div>
          </dd>
        </div>
        <div>
          <dt>Value</dt>
          <dd>
            {value === null ? (
              <span className="dim">{state === 'gone' || state === 'resolved' ? 'none any more' : 'not known here'}</span>
            ) : (
              <span title={rule?.value}>{formatNumber(value)}</span>
            )}
          </dd>
        </div>
        <Ending explanation={explanation} />
      </dl>
    </section>
  );
}

function Ending({ explanation: { state, alert, rule, history } }: { readonly explanation: Explanation }) {
  const ended = history.find((event) => event.change === 'resolved')?.at ?? null;
  switch (state) {
    case 'pending':
      return <Fact name="Fires" millis={parseTime(rule?.firesAt)} form="left" />;
    case 'resolved':
      return <Fact name="Ended" millis={parseTime(alert?.endsAt)} form="ago" />;
    case 'gone':
      return <Fact name="Ended last" millis={parseTime(ended)} form="ago" />;
    default:
      return <Fact name="Last heard of" millis={parseTime(alert?.updatedAt)} form="ago" />;
  }
}

interface FactProps {
  readonly name: string;
  readonly millis: number | null;
  readonly form: 'ago' | 'left';
}

function Fact({ name, millis, form }: FactProps) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{millis === null ? <span className="dim">not known</span> : <TimeText millis={millis} form={form} />}</dd>
    </div>
  );
}
