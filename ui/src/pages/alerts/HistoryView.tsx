// What became of alerts, the newest first: chosen by labels, words and time.
import { Button } from '@mantine/core';
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import { listHistory, type AlertEvent } from '../../api/alerts';
import { liveInterval } from '../../api/polling';
import { useParameter } from '../../app/location';
import { Choice } from '../../components/Choice';
import { EmptyState } from '../../components/EmptyState';
import { LabelList } from '../../components/LabelList';
import { Loaded } from '../../components/Loaded';
import { Sentence } from '../../components/Sentence';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { useDebounced } from '../../components/useDebounced';
import { WhyLink } from '../../components/WhyLink';
import { divideFilter, matchesFilter } from '../../formatting/matchText';
import { formatInputTime, parseTime } from '../../formatting/time';
import { EventBadge } from '../alert/EventBadge';
import { historyRange, SPANS } from './historyRange';

/** Lines drawn at first, and events asked for at first and at most (the server's limit). */
const SHOWN_AT_FIRST = 100;
const EVENTS_AT_FIRST = 500;
const EVENTS_MAX = 10_000;

export function HistoryView({ filter }: { readonly filter: string }) {
  const [span, setSpan] = useParameter('span', '1d');
  const [from, setFrom] = useParameter('from', '');
  const [to, setTo] = useParameter('to', '');
  const [limit, setLimit] = useState(EVENTS_AT_FIRST);
  const { matchers, words } = divideFilter(useDebounced(filter));
  const events = useQuery({
    queryKey: ['history', matchers, span, from, to, limit],
    queryFn: ({ signal }) =>
      listHistory({ filters: matchers, limit, ...historyRange({ span, from, to }, Date.now()) }, signal),
    refetchInterval: liveInterval,
    placeholderData: keepPreviousData,
  });
  const choose = (next: string) => {
    if (next === 'custom' && from === '') setFrom(formatInputTime(Date.now() - 86_400_000));
    setSpan(next);
  };
  return (
    <section className="panel" aria-label="History">
      <div className="panel-head">
        <div className="row">
          <Choice
            label="How far back"
            value={span}
            onChange={choose}
            options={[...SPANS.map((value) => ({ value, label: value })), { value: 'custom', label: 'From … to' }]}
          />
          {span === 'custom' && (
            <>
              <MomentField label="From" value={from} onChange={setFrom} />
              <MomentField label="To" value={to} onChange={setTo} />
            </>
          )}
        </div>
        <span className="dim" role="status">
          {events.isPlaceholderData ? 'Looking …' : ''}
        </span>
      </div>
      <Loaded query={events} height={420}>
        {(data) => {
          const chosen = data.filter((event) => matchesFilter(words, event.labels, `${event.change}\n${event.detail}`));
          return (
            <>
              <EventTable events={chosen} hasWords={words !== ''} key={`${span} ${from} ${to} ${filter}`} />
              {data.length >= limit && <OlderEvents limit={limit} onMore={setLimit} />}
            </>
          );
        }}
      </Loaded>
    </section>
  );
}

interface MomentFieldProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

function MomentField({ label, value, onChange }: MomentFieldProps) {
  return (
    <label className="row">
      <span className="dim">{label}</span>
      <input
        className="field"
        type="datetime-local"
        value={value}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
    </label>
  );
}

function OlderEvents({ limit, onMore }: { readonly limit: number; readonly onMore: (limit: number) => void }) {
  return (
    <div className="capped row">
      <span className="dim">These are the newest {limit.toLocaleString('en')} events of this time; there are older ones.</span>
      {limit < EVENTS_MAX ? (
        <Button size="compact-sm" variant="default" onClick={() => onMore(Math.min(EVENTS_MAX, limit * 4))}>
          Load older ones
        </Button>
      ) : (
        <span>Choose an earlier time or a narrower filter.</span>
      )}
    </div>
  );
}

function EventTable({ events, hasWords }: { readonly events: readonly AlertEvent[]; readonly hasWords: boolean }) {
  const { shown, more } = useCapped(events, SHOWN_AT_FIRST);
  if (events.length === 0) {
    return (
      <EmptyState icon="clock" title="Nothing happened">
        <p>
          {hasWords
            ? 'No event of this time fits the words of the filter.'
            : 'No alert of this kind began, ended or was muted in this time.'}
        </p>
      </EmptyState>
    );
  }
  return (
    <>
      <table className="table table-stacked">
        <thead>
          <tr>
            <th className="fit">What</th>
            <th className="fit">When</th>
            <th>Alert</th>
            <th className="fit">
              <span className="visually-hidden">Explanation</span>
            </th>
          </tr>
        </thead>
        <tbody>
          {shown.map((event, index) => (
            <EventRow key={`${event.at} ${event.fingerprint} ${event.change} ${events.length - index}`} event={event} />
          ))}
        </tbody>
      </table>
      {more}
    </>
  );
}

function EventRow({ event }: { readonly event: AlertEvent }) {
  const name = event.labels['alertname'];
  return (
    <tr>
      <td className="fit">
        <EventBadge change={event.change} />
      </td>
      <td className="fit">
        <TimeText millis={parseTime(event.at)} />
      </td>
      <td>
        <div className="row" style={{ gap: '2px 10px' }}>
          <strong>{name}</strong>
          <span className="dim">
            <Sentence text={event.detail} />
          </span>
        </div>
        <LabelList labels={event.labels} skip={['alertname']} />
      </td>
      <td className="fit">
        <WhyLink fingerprint={event.fingerprint} name={name} />
      </td>
    </tr>
  );
}
