// What a group's rules would have said about the last days: a table, two graphs, and incidents found or missed.
import { Button, Textarea } from '@mantine/core';
import { useMutation } from '@tanstack/react-query';
import { useMemo, useState } from 'react';
import { runBacktest, type Backtest, type TestedIncident } from '../../api/backtest';
import type { RuleGroup } from '../../api/rules';
import { lineColor, useChartColors } from '../../charts/palette';
import { TimeChart } from '../../charts/TimeChart';
import { Badge } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { Choice } from '../../components/Choice';
import { LabelList } from '../../components/LabelList';
import { TimeText } from '../../components/TimeText';
import { formatDuration } from '../../formatting/duration';
import { formatCount, formatNumber } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { firingLines, notificationLines, type Drawn } from './backtestLines';
import './backtest.css';

/** Times that an alert fired which are listed; the command line lists all. */
const LISTED_MAX = 20;

export default function BacktestPanel({ group }: { readonly group: RuleGroup }) {
  const [since, setSince] = useState('7d');
  const [incidents, setIncidents] = useState('');
  const test = useMutation({ mutationFn: runBacktest });
  const run = () => test.mutate({ file: group.file, group: group.name, since, incidents });
  return (
    <div className="backtest panel-body" role="group" aria-label={`Backtest of ${group.name}`}>
      <div className="row">
        <Choice
          label="How far back"
          value={since}
          onChange={setSince}
          options={['1d', '7d', '30d'].map((value) => ({ value, label: value }))}
        />
        <Button size="xs" onClick={run} loading={test.isPending}>
          Run backtest
        </Button>
        <span className="dim">What these rules would have said, over what is stored.</span>
      </div>
      <details className="backtest-incidents">
        <summary>Compare with what really happened</summary>
        <Textarea
          label="Incidents, as YAML"
          value={incidents}
          onChange={(event) => setIncidents(event.currentTarget.value)}
          autosize
          minRows={4}
          spellCheck={false}
          placeholder={'incidents:\n- name: checkout down\n  start: 2026-10-03T14:02:00Z\n  end: 2026-10-03T15:10:00Z'}
          styles={{ input: { fontFamily: 'var(--mono)' } }}
        />
      </details>
      <div aria-live="polite">
        {test.isError && <Banner tone="critical" title={test.error.message} />}
        {test.isSuccess && <Report report={test.data} />}
      </div>
    </div>
  );
}

function Report({ report }: { readonly report: Backtest }) {
  const alerts = report.rules.filter((rule) => rule.type === 'alerting');
  const firing = useMemo(() => firingLines(report), [report]);
  const told = useMemo(() => notificationLines(report), [report]);
  return (
    <div className="stack">
      <p className="dim">
        {formatCount(report.evaluations, 'evaluation')} in {formatDuration(report.seconds)}
      </p>
      {report.notes.map((note) => (
        <p key={note} className="dim">
          {note}
        </p>
      ))}
      <table className="table table-stacked">
        <thead>
          <tr>
            <th>Alert</th>
            <th className="fit number">Fired</th>
            <th className="fit number">Firing</th>
            <th className="fit number">Longest</th>
            <th className="fit number">Flaps</th>
            <th className="fit number">Pending only</th>
          </tr>
        </thead>
        <tbody>
          {alerts.map((rule, index) => (
            <tr key={`${rule.name} ${index}`}>
              <td>
                <strong>{rule.name}</strong>
                {rule.lastError !== null && (
                  <div className="table-note">
                    {rule.failures} of {formatCount(rule.evaluations, 'evaluation')} failed: {rule.lastError}
                  </div>
                )}
              </td>
              <td className="fit number" data-name="Fired">
                {rule.fired}
              </td>
              <td className="fit number" data-name="Firing">
                {formatDuration(rule.firingSeconds)}
              </td>
              <td className="fit number" data-name="Longest">
                {formatDuration(rule.longestSeconds)}
              </td>
              <td className="fit number" data-name="Flaps">
                {rule.flaps}
              </td>
              <td className="fit number" data-name="Pending only">
                {rule.pendingOnly}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <Graph title="Alerts that would have fired" drawn={firing} empty="No alert would have fired." />
      <Graph title="Notifications an hour" drawn={told} empty="Nobody would have been told." />
      {report.incidents !== null && <Incidents found={report.incidents} />}
      <Episodes report={report} />
    </div>
  );
}

interface GraphProps {
  readonly title: string;
  readonly drawn: Drawn;
  readonly empty: string;
}

function Graph({ title, drawn, empty }: GraphProps) {
  const colors = useChartColors();
  const lines = useMemo(() => drawn.names.map((label) => ({ label, isArea: true })), [drawn]);
  return (
    <section aria-label={title}>
      <h3>{title}</h3>
      {drawn.names.length === 0 ? (
        <p className="dim">{empty}</p>
      ) : (
        <>
          <TimeChart
            title={`${title}: ${drawn.names.join(', ')}`}
            columns={drawn.columns}
            lines={lines}
            height={150}
            format={formatNumber}
            startsAtZero
            atLeast={1}
          />
          <ul className="backtest-legend">
            {drawn.names.map((name, index) => (
              <li key={`${name} ${index}`}>
                <span aria-hidden="true" className="backtest-swatch" style={{ background: lineColor(colors, index) }} />
                {name}
              </li>
            ))}
          </ul>
        </>
      )}
    </section>
  );
}

function Episodes({ report }: { readonly report: Backtest }) {
  const all = report.rules.flatMap((rule) => rule.episodes.map((episode) => ({ name: rule.name, episode })));
  if (all.length === 0) return null;
  all.sort((a, b) => b.episode.firedAt.localeCompare(a.episode.firedAt));
  return (
    <section aria-label="When alerts would have fired">
      <h3>When</h3>
      <table className="table table-stacked">
        <tbody>
          {all.slice(0, LISTED_MAX).map(({ name, episode }, index) => (
            <tr key={index}>
              <td className="fit" data-name="Fired at">
                <TimeText millis={parseTime(episode.firedAt)} />
              </td>
              <td className="fit" data-name="For">
                {formatDuration(episode.seconds)}
                {episode.resolvedAt === null && ' and on'}
              </td>
              <td>
                <strong>{name}</strong>
                <LabelList labels={episode.labels} skip={['alertname']} />
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      {all.length > LISTED_MAX && (
        <p className="dim">
          The latest {LISTED_MAX} of {all.length}; <code>binnacle rules backtest --json</code> lists them.
        </p>
      )}
    </section>
  );
}

function Incidents({ found }: { readonly found: NonNullable<Backtest['incidents']> }) {
  return (
    <section aria-label="Incidents">
      <h3>Incidents</h3>
      <p>
        {found.detected} detected, {found.missed} missed; {found.falseAlarms} of {formatCount(found.fired, 'alert')} were
        false alarms.
      </p>
      <table className="table table-stacked">
        <tbody>
          {found.list.map((incident, index) => (
            <tr key={`${incident.name} ${index}`}>
              <td className="fit">
                <Badge tone={incident.detectedAt === null ? 'critical' : 'good'}>
                  {incident.detectedAt === null ? 'missed' : 'detected'}
                </Badge>
              </td>
              <td>
                <strong>{incident.name}</strong>
              </td>
              <td className="fit" data-name="Began">
                <TimeText millis={parseTime(incident.start)} />
              </td>
              <td data-name="Detected">{delayText(incident)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </section>
  );
}

function delayText({ delaySeconds, alert }: TestedIncident): string {
  if (delaySeconds === null) return 'by no alert';
  const when = delaySeconds < 0 ? `${formatDuration(-delaySeconds)} before` : `after ${formatDuration(delaySeconds)}`;
  return `${when} by ${alert ?? ''}`;
}
