// The targets of one scrape pool.
import type { Target } from '../../api/targets';
import { Badge, type Tone } from '../../components/Badge';
import { LabelList } from '../../components/LabelList';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { formatDuration } from '../../formatting/duration';
import { parseTime } from '../../formatting/time';
import { countHealth } from './chooseTargets';
import '../../components/table.css';

const SHOWN_AT_FIRST = 100;

const TONES: Readonly<Record<Target['health'], Tone>> = { up: 'good', down: 'critical', unknown: 'low' };

export function PoolPanel({ pool, targets }: { readonly pool: string; readonly targets: readonly Target[] }) {
  const { up, all } = countHealth(targets);
  const { shown, more } = useCapped(targets, SHOWN_AT_FIRST);
  return (
    <section className="panel" aria-label={pool}>
      <div className="panel-head">
        <h2>{pool}</h2>
        <Badge tone={up === all ? 'good' : 'critical'}>
          {up} of {all} up
        </Badge>
      </div>
      <table className="table table-stacked">
        <thead>
          <tr>
            <th className="fit">Health</th>
            <th>Endpoint</th>
            <th>Labels</th>
            <th className="fit">Last scrape</th>
            <th className="fit number">Took</th>
          </tr>
        </thead>
        <tbody>
          {shown.map((target) => (
            <TargetRow key={target.scrapeUrl + JSON.stringify(target.labels)} target={target} />
          ))}
        </tbody>
      </table>
      {more}
    </section>
  );
}

function TargetRow({ target }: { readonly target: Target }) {
  const discovered = Object.entries(target.discoveredLabels)
    .map(([name, value]) => `${name}="${value}"`)
    .join('\n');
  return (
    <tr>
      <td className="fit">
        <Badge tone={TONES[target.health]}>{target.health}</Badge>
      </td>
      <td>
        <span className="mono" title={`Before relabelling:\n${discovered}`}>
          {target.scrapeUrl}
        </span>
        {target.standingIn !== undefined && (
          <div className="dim">Binnacle answers for it from inside: {target.standingIn}</div>
        )}
        {target.lastError !== '' && <div className="table-note">{target.lastError}</div>}
      </td>
      <td>
        <LabelList labels={target.labels} skip={['job']} />
      </td>
      <td className="fit" data-name="Last scrape">
        <TimeText millis={parseTime(target.lastScrape)} form="ago" />
        {target.scrapeInterval !== undefined && <span className="dim">, every {target.scrapeInterval}</span>}
      </td>
      <td className="fit number" data-name="Took">
        {parseTime(target.lastScrape) === null ? '–' : formatDuration(target.lastScrapeDuration)}
      </td>
    </tr>
  );
}
