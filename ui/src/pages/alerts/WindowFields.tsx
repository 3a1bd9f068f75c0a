// When a silence comes again: days, times, where the clock hangs, and for how long.
import { ActionIcon, Button } from '@mantine/core';
import { useId, useMemo, type ReactNode } from 'react';
import { Icon } from '../../components/Icon';
import type { Field } from './refusedField';
import { WEEKDAYS, type TimeDraft, type WindowDraft } from './timeWindow';

export interface FieldProblem {
  readonly field: Field | null;
  readonly text: string;
}

interface WindowFieldsProps {
  readonly draft: WindowDraft;
  readonly onChange: (draft: WindowDraft) => void;
  readonly until: string;
  readonly onUntil: (until: string) => void;
  /** What the server refused, shown beside its field. */
  readonly problem: FieldProblem | null;
}

export function WindowFields({ draft, onChange, until, onUntil, problem }: WindowFieldsProps) {
  const change = (part: Partial<WindowDraft>) => onChange({ ...draft, ...part });
  const zonesId = useId();
  const zones = useMemo(() => Intl.supportedValuesOf('timeZone'), []);
  const hasMore = draft.daysOfMonth !== '' || draft.months !== '' || draft.years !== '';
  return (
    <>
      <DayFields draft={draft} change={change} problem={problem} />
      <TimeFields times={draft.times} onChange={(times) => change({ times })} problem={problem} />
      <TextField
        label="Time zone"
        name="location"
        value={draft.location}
        placeholder="UTC"
        list={zonesId}
        onChange={(location) => change({ location })}
        problem={problem}
      />
      <datalist id={zonesId}>
        {zones.map((zone) => (
          <option key={zone} value={zone} />
        ))}
      </datalist>
      <details open={hasMore || undefined}>
        <summary>Days of the month, months, years</summary>
        <div className="window-more">
          <TextField
            label="Days of the month"
            name="daysOfMonth"
            value={draft.daysOfMonth}
            placeholder="1:7, -1 is the last"
            onChange={(daysOfMonth) => change({ daysOfMonth })}
            problem={problem}
          />
          <TextField
            label="Months"
            name="months"
            value={draft.months}
            placeholder="june:august"
            onChange={(months) => change({ months })}
            problem={problem}
          />
          <TextField
            label="Years"
            name="years"
            value={draft.years}
            placeholder="2026:2027"
            onChange={(years) => change({ years })}
            problem={problem}
          />
        </div>
      </details>
      <TextField
        label="Until (nothing: for good)"
        name="until"
        type="datetime-local"
        value={until}
        onChange={onUntil}
        problem={problem}
      />
    </>
  );
}

interface PartProps {
  readonly draft: WindowDraft;
  readonly change: (part: Partial<WindowDraft>) => void;
  readonly problem: FieldProblem | null;
}

function DayFields({ draft, change, problem }: PartProps) {
  return (
    <fieldset className="matchers">
      <legend>Days</legend>
      <div className="row">
        {WEEKDAYS.map((day) => (
          <label key={day} className="day">
            <input
              type="checkbox"
              checked={draft.weekdays.includes(day)}
              onChange={(event) =>
                change({
                  weekdays: WEEKDAYS.filter((one) => (one === day ? event.currentTarget.checked : draft.weekdays.includes(one))),
                })
              }
            />
            {day.charAt(0).toUpperCase() + day.slice(1, 3)}
          </label>
        ))}
      </div>
      <Note problem={problem} name="weekdays" />
    </fieldset>
  );
}

interface TimeFieldsProps {
  readonly times: readonly TimeDraft[];
  readonly onChange: (times: readonly TimeDraft[]) => void;
  readonly problem: FieldProblem | null;
}

function TimeFields({ times, onChange, problem }: TimeFieldsProps) {
  const change = (index: number, part: Partial<TimeDraft>) => {
    const before = times[index] ?? { start: '', end: '' };
    onChange(times.with(index, { ...before, ...part }));
  };
  return (
    <fieldset className="matchers">
      <legend>Times</legend>
      {times.length === 0 && <span className="dim">All day.</span>}
      {times.map((time, index) => (
        <div key={index} className="row">
          <input
            className="field"
            type="time"
            aria-label={`Time ${index + 1} begins`}
            value={time.start}
            onChange={(event) => change(index, { start: event.currentTarget.value })}
          />
          <span aria-hidden="true">–</span>
          <input
            className="field"
            type="time"
            aria-label={`Time ${index + 1} ends`}
            value={time.end}
            onChange={(event) => change(index, { end: event.currentTarget.value })}
          />
          <ActionIcon
            variant="default"
            size={34}
            aria-label={`Remove time ${index + 1}`}
            onClick={() => onChange(times.toSpliced(index, 1))}
          >
            <Icon name="close" size={14} />
          </ActionIcon>
        </div>
      ))}
      <Note problem={problem} name="times" />
      <div>
        <Button size="compact-sm" variant="default" onClick={() => onChange([...times, { start: '', end: '' }])}>
          Add a time
        </Button>
      </div>
    </fieldset>
  );
}

interface TextFieldProps {
  readonly label: string;
  readonly name: Field;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly problem: FieldProblem | null;
  readonly type?: string;
  readonly placeholder?: string;
  readonly list?: string;
}

function TextField({ label, name, value, onChange, problem, type = 'text', placeholder, list }: TextFieldProps) {
  const id = useId();
  const isWrong = problem?.field === name;
  return (
    <div className="field-label">
      <label htmlFor={id}>{label}</label>
      <input
        id={id}
        className="field"
        type={type}
        value={value}
        placeholder={placeholder}
        list={list}
        spellCheck={false}
        aria-invalid={isWrong}
        aria-describedby={isWrong ? `${id}-note` : undefined}
        onChange={(event) => onChange(event.currentTarget.value)}
      />
      <Note id={`${id}-note`} problem={problem} name={name} />
    </div>
  );
}

interface NoteProps {
  readonly id?: string;
  readonly name: Field;
  readonly problem: FieldProblem | null;
}

/** What is wrong with a field, where it is this one. */
export function Note({ id, name, problem }: NoteProps): ReactNode {
  if (problem === null || problem.field !== name) return null;
  return (
    <p id={id} className="field-note" role="alert">
      {problem.text}
    </p>
  );
}
