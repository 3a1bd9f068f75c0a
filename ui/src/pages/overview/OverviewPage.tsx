// The start page: what fires, what is open, and this host live.
import { SegmentedControl, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { metricNames } from '../../api/names';
import { useParameter } from '../../app/location';
import { EmptyState } from '../../components/EmptyState';
import { PageTitle } from '../../components/PageTitle';
import { Filesystems } from './Filesystems';
import { Attention } from './Attention';
import { HostLine } from './HostLine';
import { OtherHosts } from './OtherHosts';
import { PanelCard } from './PanelCard';
import { HOST_PANELS, OWN, SELF_PANELS, SPANS, spanNamed, type Panel, type Span } from './panels';
import { SetupNotes } from './SetupNotes';
import { Summary } from './Summary';
import './overview.css';

/** Which metrics exist changes rarely, except just after the start. */
const NAMES_MS = 30_000;
const NAMES_EMPTY_MS = 2_000;
const NAMES_LOOKBACK_SECONDS = 900;

export default function OverviewPage() {
  const [spanName, setSpanName] = useParameter('span', '15m');
  const span = spanNamed(spanName);
  const names = useQuery({
    queryKey: ['own-metric-names'],
    queryFn: ({ signal }) => metricNames(OWN, Math.floor(Date.now() / 1000) - NAMES_LOOKBACK_SECONDS, signal),
    refetchInterval: (query) => ((query.state.data?.size ?? 0) === 0 ? NAMES_EMPTY_MS : NAMES_MS),
  });
  return (
    <>
      <PageTitle title="Overview" aside={<HostLine names={names.data} />}>
        <SegmentedControl
          size="xs"
          aria-label="Time shown"
          value={span.name}
          onChange={setSpanName}
          data={SPANS.map(({ name, label }) => ({ value: name, label }))}
        />
      </PageTitle>
      <div className="stack">
        <Summary />
        <Attention />
        <Host names={names.data} span={span} />
        <OtherHosts />
        <SetupNotes />
      </div>
    </>
  );
}

interface HostProps {
  readonly names: ReadonlySet<string> | undefined;
  readonly span: Span;
}

function Host({ names, span }: HostProps) {
  if (names !== undefined && names.size === 0) {
    return (
      <section className="panel">
        <EmptyState icon="overview" title="No samples of this host yet">
          <p>The first ones arrive within seconds of the start. If this stays, Targets says what is wrong.</p>
        </EmptyState>
      </section>
    );
  }
  return (
    <>
      <PanelGrid name="This host" panels={HOST_PANELS} names={names} span={span} />
      <Filesystems names={names} />
      <PanelGrid name="Binnacle itself" panels={SELF_PANELS} names={names} span={span} />
    </>
  );
}

interface PanelGridProps extends HostProps {
  readonly name: string;
  readonly panels: readonly Panel[];
}

function PanelGrid({ name, panels, names, span }: PanelGridProps) {
  const shown = panels.filter((panel) => names === undefined || panel.needs.every((need) => names.has(need)));
  if (shown.length === 0) return null;
  return (
    <section aria-label={name}>
      <h2 className="section-title">{name}</h2>
      <div className={panels.length === 4 ? 'panel-grid panel-grid-four' : 'panel-grid'}>
        {shown.map((panel) =>
          names === undefined ? (
            <Skeleton key={panel.title} className="panel-card-waiting" />
          ) : (
            <PanelCard key={panel.title} panel={panel} span={span} />
          ),
        )}
      </div>
    </section>
  );
}
