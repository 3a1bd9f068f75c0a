// The rule packs that the program brings along: what each watches, whether it is enabled, how to change that.
import { Button } from '@mantine/core';
import { useClipboard } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { presentMetrics, type Pack } from '../../api/packs';
import { packsQuery } from '../../api/polling';
import { Badge } from '../../components/Badge';
import { EmptyState } from '../../components/EmptyState';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { matchesFilter } from '../../formatting/matchText';
import { formatCount } from '../../formatting/number';
import { metricsText, missingMetrics, packCommand, packState } from './packState';
import '../../components/table.css';

export default function PackList({ filter }: { readonly filter: string }) {
  const packs = useQuery(packsQuery);
  return (
    <section className="panel" aria-label="Rule packs">
      <div className="panel-head">
        <h2>Rule packs</h2>
        <span className="dim">Alerts with runbooks for what most teams run. A pack is off until it is enabled.</span>
      </div>
      <Loaded query={packs} height={420}>
        {({ packs: all, folder }) => (
          <>
            <PackTable packs={all.filter((pack) => matchesFilter(filter, {}, `${pack.name}\n${pack.watches}`))} all={all} />
            <p className="capped dim">
              Enabled packs are files that you may edit, in <code>{folder}</code>.
            </p>
          </>
        )}
      </Loaded>
    </section>
  );
}

interface PackTableProps {
  readonly packs: readonly Pack[];
  /** Metrics are asked for once, whatever the filter leaves. */
  readonly all: readonly Pack[];
}

function PackTable({ packs, all }: PackTableProps) {
  const names = [...new Set(all.flatMap((pack) => pack.metrics))];
  const present = useQuery({
    queryKey: ['pack-metrics', names],
    queryFn: ({ signal }) => presentMetrics(names, signal),
    refetchInterval: 60_000,
  }).data;
  if (packs.length === 0) return <EmptyState icon="rules" title="No pack fits the filter" />;
  return (
    <table className="table table-stacked">
      <thead>
        <tr>
          <th className="fit">State</th>
          <th>Pack</th>
          <th className="fit number">Rules</th>
          <th>Change it</th>
        </tr>
      </thead>
      <tbody>
        {packs.map((pack) => (
          <PackRow key={pack.name} pack={pack} present={present} />
        ))}
      </tbody>
    </table>
  );
}

interface PackRowProps {
  readonly pack: Pack;
  readonly present: ReadonlySet<string> | undefined;
}

function PackRow({ pack, present }: PackRowProps) {
  const { word, tone } = packState(pack);
  const missing = missingMetrics(pack, present);
  return (
    <tr>
      <td className="fit">
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td>
        <div className="row" style={{ gap: '2px 10px' }}>
          <strong>{pack.name}</strong>
          {/* A page of the server, not of this one. */}
          <a href={pack.runbook} aria-label={`Runbook of ${pack.name}`}>
            Runbook
          </a>
          {pack.file !== null && <Link href={`/rules?filter=${encodeURIComponent(pack.file)}`}>Its rules</Link>}
        </div>
        <div>{pack.watches}</div>
        {missing.length === 0 ? (
          <div className="dim">{metricsText(pack, present)}</div>
        ) : (
          <details className="pack-missing dim">
            <summary>{metricsText(pack, present)}</summary>
            <p>Missing for the last hour: {missing.join(', ')}</p>
          </details>
        )}
      </td>
      <td className="fit number" data-name="Rules">
        {formatCount(pack.alerts, 'alert')}
        {pack.recordings > 0 && <div className="dim">{pack.recordings} recorded</div>}
      </td>
      <td>
        <Command text={packCommand(pack)} />
      </td>
    </tr>
  );
}

/** A command to type on the server's machine. */
function Command({ text }: { readonly text: string }) {
  const clipboard = useClipboard({ timeout: 2_000 });
  return (
    <div className="row">
      <code className="pack-command">{text}</code>
      {/* Only pages that came encrypted, or from this machine, may write to the clipboard. */}
      {window.isSecureContext && (
        <Button size="compact-xs" variant="default" aria-label={`Copy ${text}`} onClick={() => clipboard.copy(text)}>
          {clipboard.copied ? 'Copied' : 'Copy'}
        </Button>
      )}
    </div>
  );
}
