// One rule group.
import { Button } from '@mantine/core';
import { lazy, Suspense, useState } from 'react';
import type { Rule, RuleGroup } from '../../api/rules';
import { Badge, type Tone } from '../../components/Badge';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { TimeText } from '../../components/TimeText';
import { formatDuration } from '../../formatting/duration';
import { parseTime } from '../../formatting/time';
import { exploreAddress } from '../explore/address';
import '../../components/table.css';
import './rules.css';

// Graphs are loaded by those who ask for them.
const BacktestPanel = lazy(() => import('./BacktestPanel'));

export function GroupPanel({ group }: { readonly group: RuleGroup }) {
  const [isTested, setTested] = useState(false);
  const hasAlerts = group.rules.some((rule) => rule.type === 'alerting');
  return (
    <section className="panel" aria-label={group.name}>
      <div className="panel-head">
        <h2>{group.name}</h2>
        <span className="dim">
          every {formatDuration(group.interval)}, took {formatDuration(group.evaluationTime)},{' '}
          <TimeText millis={parseTime(group.lastEvaluation)} form="ago" />
          {hasAlerts && (
            <>
              {' · '}
              <Button
                size="compact-xs"
                variant="subtle"
                aria-expanded={isTested}
                aria-label={`Backtest ${group.name}`}
                onClick={() => setTested(!isTested)}
              >
                Backtest
              </Button>
            </>
          )}
        </span>
      </div>
      <p className="rule-file dim mono">{group.file}</p>
      <table className="table table-stacked">
        <thead>
          <tr>
            <th className="fit">State</th>
            <th>Rule</th>
            <th className="fit">Evaluated</th>
            <th className="fit number">Took</th>
          </tr>
        </thead>
        <tbody>
          {group.rules.map((rule, index) => (
            <RuleRow key={`${rule.name} ${index}`} rule={rule} />
          ))}
        </tbody>
      </table>
      {isTested && (
        <Suspense fallback={null}>
          <BacktestPanel group={group} />
        </Suspense>
      )}
    </section>
  );
}

/** One word for where a rule stands; that it fails outweighs everything. */
export function ruleState(rule: Rule): { readonly word: string; readonly tone: Tone } {
  if (rule.health === 'err') return { word: 'fails', tone: 'high' };
  if (rule.health === 'unknown') return { word: 'not yet', tone: 'low' };
  if (rule.type === 'recording') return { word: 'ok', tone: 'good' };
  if (rule.state === 'firing') return { word: 'firing', tone: 'critical' };
  if (rule.state === 'pending') return { word: 'pending', tone: 'medium' };
  return { word: 'ok', tone: 'good' };
}

function RuleRow({ rule }: { readonly rule: Rule }) {
  const { word, tone } = ruleState(rule);
  const firing = rule.type === 'alerting' ? rule.alerts.length : 0;
  return (
    <tr>
      <td className="fit">
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td>
        <div className="row" style={{ gap: '2px 10px' }}>
          <strong>{rule.name}</strong>
          <span className="dim">{rule.type === 'alerting' ? timing(rule) : 'recording'}</span>
          {firing > 0 && (
            <Link href={`/alerts?filter=${encodeURIComponent(`alertname="${rule.name}"`)}`}>
              {firing} active
            </Link>
          )}
        </div>
        <Link className="rule-query" href={exploreAddress({ query: rule.query })} title="Open in Explore">
          {rule.query}
        </Link>
        {rule.labels !== undefined && <LabelList labels={rule.labels} />}
        {rule.lastError !== undefined && rule.lastError !== '' && <div className="table-note">{rule.lastError}</div>}
      </td>
      <td className="fit" data-name="Evaluated">
        <TimeText millis={parseTime(rule.lastEvaluation)} form="ago" />
      </td>
      <td className="fit number" data-name="Took">
        {formatDuration(rule.evaluationTime)}
      </td>
    </tr>
  );
}

function timing(rule: { readonly duration: number; readonly keepFiringFor?: number }): string {
  const after = rule.duration > 0 ? `after ${formatDuration(rule.duration)}` : 'at once';
  const kept = rule.keepFiringFor ?? 0;
  return kept > 0 ? `${after}, kept for ${formatDuration(kept)}` : after;
}
