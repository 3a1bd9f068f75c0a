// The time that is asked for: how far back, until when, how fine.
import { ActionIcon, Button } from '@mantine/core';
import { useEffect, useState } from 'react';
import { parseDuration, writeDuration } from '../../formatting/duration';
import { formatInputTime } from '../../formatting/time';
import type { ExploreState } from './address';
import { nextRange } from './nextRange';
import '../../components/filter.css';

interface TimeControlsProps {
  readonly state: ExploreState;
  readonly onChange: (state: ExploreState) => void;
}

export function TimeControls({ state, onChange }: TimeControlsProps) {
  const { rangeSeconds, endSeconds, stepSeconds } = state;
  const move = (direction: 1 | -1) => {
    const from = endSeconds ?? Math.floor(Date.now() / 1000);
    onChange({ ...state, endSeconds: from + direction * Math.max(1, Math.floor(rangeSeconds / 2)) });
  };
  const setRange = (seconds: number) => onChange({ ...state, rangeSeconds: seconds });
  return (
    <div className="row time-controls">
      {state.view === 'graph' && (
        <div className="row time-group" role="group" aria-label="Range">
          <ActionIcon variant="default" size={34} aria-label="Shorter range" onClick={() => setRange(nextRange(rangeSeconds, 'shorter'))}>
            −
          </ActionIcon>
          <DurationField label="Range" seconds={rangeSeconds} onChange={(seconds) => seconds !== null && setRange(seconds)} />
          <ActionIcon variant="default" size={34} aria-label="Longer range" onClick={() => setRange(nextRange(rangeSeconds, 'longer'))}>
            +
          </ActionIcon>
        </div>
      )}
      <div className="row time-group" role="group" aria-label="End">
        <ActionIcon variant="default" size={34} aria-label="Earlier" onClick={() => move(-1)}>
          ‹
        </ActionIcon>
        <input
          className="field"
          type="datetime-local"
          aria-label="End"
          value={endSeconds === null ? '' : formatInputTime(endSeconds * 1000)}
          onChange={(event) => {
            const millis = Date.parse(event.currentTarget.value);
            onChange({ ...state, endSeconds: Number.isNaN(millis) ? null : Math.floor(millis / 1000) });
          }}
        />
        <ActionIcon variant="default" size={34} aria-label="Later" onClick={() => move(1)}>
          ›
        </ActionIcon>
        <Button
          variant={endSeconds === null ? 'light' : 'default'}
          size="xs"
          h={34}
          aria-pressed={endSeconds === null}
          onClick={() => onChange({ ...state, endSeconds: null })}
        >
          Now
        </Button>
      </div>
      {state.view === 'graph' && (
        <DurationField
          label="Step"
          hint="step: auto"
          seconds={stepSeconds}
          onChange={(seconds) => onChange({ ...state, stepSeconds: seconds })}
        />
      )}
    </div>
  );
}

interface DurationFieldProps {
  readonly label: string;
  readonly seconds: number | null;
  /** Shown while it is empty; without it, empty is not an answer. */
  readonly hint?: string;
  readonly onChange: (seconds: number | null) => void;
}

/** Takes effect on Enter and when one leaves it; what is no duration is marked and not taken. */
function DurationField({ label, seconds, hint, onChange }: DurationFieldProps) {
  const written = seconds === null ? '' : writeDuration(seconds);
  const [text, setText] = useState(written);
  useEffect(() => setText(written), [written]);
  const parsed = parseDuration(text);
  const isEmpty = text.trim() === '' && hint !== undefined;
  const isWrong = parsed === null && !isEmpty;
  const commit = () => {
    if (!isWrong && parsed !== seconds) onChange(parsed);
  };
  return (
    <input
      className="field duration-field"
      aria-label={label}
      aria-invalid={isWrong}
      placeholder={hint ?? ''}
      title={isWrong ? 'A duration is written as 90s, 2h or 1d12h' : label}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={commit}
      onKeyDown={(event) => {
        if (event.key === 'Enter') commit();
      }}
    />
  );
}
