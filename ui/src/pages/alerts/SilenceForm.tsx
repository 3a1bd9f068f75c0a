// What the dialog for silences asks: whom, when, by whom and why.
import { Button } from '@mantine/core';
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { createSilence, type Matcher } from '../../api/alertmanager';
import { recurrencesQuery, routedAlertsQuery, silencesQuery } from '../../api/polling';
import { putRecurrence, REMIND_BEFORE, type Recurrence } from '../../api/silences';
import { Banner } from '../../components/Banner';
import { Choice } from '../../components/Choice';
import { TimeText } from '../../components/TimeText';
import { useNow } from '../../components/useNow';
import { usePersonName } from '../../components/usePersonName';
import { parseDuration } from '../../formatting/duration';
import { formatInputTime, parseTime } from '../../formatting/time';
import { MatcherFields } from './MatcherFields';
import { parseMatchers } from './matchers';
import { refusedField } from './refusedField';
import { SilencePreview } from './SilencePreview';
import { problemOf } from './silenceProblem';
import { emptyDraft, toDraft, toWindow, windowProblem, type WindowDraft } from './timeWindow';
import { Note, WindowFields, type FieldProblem } from './WindowFields';

const DURATIONS: readonly string[] = ['30m', '2h', '8h', '1d', '7d'];
const REMINDERS: readonly string[] = ['10m', '30m', '1h', '1d'];
const EMPTY: Matcher = { name: '', value: '', isEqual: true, isRegex: false };

interface SilenceFormProps {
  readonly draft: string;
  readonly isRecurring: boolean;
  /** The one that is changed. */
  readonly recurrence: Recurrence | null;
  readonly onDone: () => void;
}

/** All that the form holds. */
interface Filled {
  readonly matchers: readonly Matcher[];
  readonly comment: string;
  readonly isRecurring: boolean;
  readonly duration: string;
  readonly remind: string;
  readonly window: WindowDraft;
  /** A window that the form cannot show, as text; null where it can. */
  readonly windowText: string | null;
  readonly until: string;
}

function begin({ draft, isRecurring, recurrence }: SilenceFormProps): Filled {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const parsed = recurrence?.matchers ?? parseMatchers(draft) ?? [];
  const window = recurrence === null ? emptyDraft(zone) : toDraft(recurrence.window);
  const until = parseTime(recurrence?.until);
  return {
    matchers: parsed.length > 0 ? parsed : [EMPTY],
    comment: recurrence?.comment ?? '',
    isRecurring,
    duration: '2h',
    remind: '',
    window: window ?? emptyDraft(zone),
    windowText: window === null ? asText(recurrence?.window) : null,
    until: until === null ? '' : formatInputTime(until),
  };
}

const asText = (window: unknown): string => (typeof window === 'string' ? window : JSON.stringify(window));

const isoOf = (text: string): string | null => (text === '' ? null : new Date(text).toISOString());

export function SilenceForm(props: SilenceFormProps) {
  const { recurrence, onDone } = props;
  const client = useQueryClient();
  const [person, setPerson] = usePersonName();
  const [filled, setFilled] = useState(() => begin(props));
  // Whoever begins with nothing begins with the matchers; otherwise they stand.
  const [isEmpty] = useState(filled.matchers[0]?.name === '');
  const change = (part: Partial<Filled>) => setFilled({ ...filled, ...part });
  const { matchers, comment, isRecurring, window, windowText } = filled;
  const seconds = isRecurring ? 1 : parseDuration(filled.duration);
  const ownProblem = isRecurring && windowText === null ? windowProblem(window) : null;
  const missing = problemOf({ matchers, seconds, comment, person }) ?? ownProblem?.text ?? null;
  const create = useMutation({
    mutationFn: () => (isRecurring ? sendRecurrence(filled, person, recurrence?.id ?? '') : sendOnce(filled, person)),
    onSuccess: async () => {
      onDone();
      for (const { queryKey } of [recurrencesQuery, silencesQuery, routedAlertsQuery]) {
        await client.invalidateQueries({ queryKey });
      }
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (missing === null) create.mutate();
  };
  const refused = refusalOf(create.error, isRecurring);
  return (
    <form className="stack" onSubmit={submit}>
      <MatcherFields matchers={matchers} isFirst={isEmpty} onChange={(next) => change({ matchers: next })} />
      <Note name="matchers" problem={refused} />
      <SilencePreview matchers={matchers} />
      {recurrence === null && (
        <Choice
          label="How often"
          value={isRecurring ? 'recurring' : 'once'}
          onChange={(kind) => change({ isRecurring: kind === 'recurring' })}
          options={[
            { value: 'once', label: 'Once, from now' },
            { value: 'recurring', label: 'Again and again' },
          ]}
        />
      )}
      {!isRecurring && <OnceFields filled={filled} change={change} seconds={seconds} />}
      {isRecurring && windowText === null && (
        <WindowFields
          draft={window}
          onChange={(next) => change({ window: next })}
          until={filled.until}
          onUntil={(until) => change({ until })}
          problem={refused}
        />
      )}
      {isRecurring && windowText !== null && (
        <label className="field-label">
          Window, as an entry of time_intervals
          <textarea
            className="field mono"
            rows={4}
            value={windowText}
            spellCheck={false}
            onChange={(event) => change({ windowText: event.currentTarget.value })}
          />
        </label>
      )}
      <Note name="window" problem={refused} />
      <label className="field-label">
        Your name
        <input
          className="field"
          value={person}
          autoComplete="name"
          data-autofocus={!isEmpty && person === '' ? true : undefined}
          onChange={(event) => setPerson(event.currentTarget.value)}
        />
      </label>
      <Note name="person" problem={refused} />
      <label className="field-label">
        Why
        <textarea
          className="field"
          rows={2}
          value={comment}
          data-autofocus={isEmpty || person === '' ? undefined : true}
          onChange={(event) => change({ comment: event.currentTarget.value })}
        />
      </label>
      <Note name="comment" problem={refused} />
      <div role="status">{refused !== null && refused.field === null && <Banner tone="high" title={refused.text} />}</div>
      <div className="row row-between">
        <span className="dim">{missing ?? ''}</span>
        <Button type="submit" disabled={missing !== null} loading={create.isPending}>
          {recurrence === null ? 'Silence' : 'Save'}
        </Button>
      </div>
    </form>
  );
}

/** What the server said, and beside which field it belongs; the form for once shows it below. */
function refusalOf(error: Error | null, isRecurring: boolean): FieldProblem | null {
  if (error === null) return null;
  const text = error.message.replaceAll(/^window:\d+:\d+: /gm, '');
  return { field: isRecurring ? refusedField(error.message) : null, text };
}

async function sendOnce({ matchers, duration, remind, comment }: Filled, person: string): Promise<void> {
  const start = Date.now();
  const seconds = parseDuration(duration) ?? 0;
  await createSilence({
    matchers,
    startsAt: new Date(start).toISOString(),
    endsAt: new Date(start + seconds * 1000).toISOString(),
    createdBy: person.trim(),
    comment: comment.trim(),
    ...(remind === '' ? {} : { annotations: { [REMIND_BEFORE]: remind } }),
  });
}

async function sendRecurrence(filled: Filled, person: string, id: string): Promise<void> {
  await putRecurrence({
    id,
    matchers: filled.matchers,
    window: filled.windowText ?? toWindow(filled.window),
    until: isoOf(filled.until),
    createdBy: person.trim(),
    comment: filled.comment.trim(),
  });
}

interface OnceFieldsProps {
  readonly filled: Filled;
  readonly change: (part: Partial<Filled>) => void;
  readonly seconds: number | null;
}

function OnceFields({ filled: { duration, remind }, change, seconds }: OnceFieldsProps) {
  const now = useNow();
  const isTooLate = seconds !== null && remind !== '' && (parseDuration(remind) ?? 0) >= seconds;
  return (
    <>
      <div className="field-label">
        <label htmlFor="silence-duration">Duration</label>
        <div className="row">
          <input
            id="silence-duration"
            className="field duration-field"
            value={duration}
            onChange={(event) => change({ duration: event.currentTarget.value })}
          />
          {DURATIONS.map((one) => (
            <Button key={one} size="compact-sm" variant="default" onClick={() => change({ duration: one })}>
              {one}
            </Button>
          ))}
          {seconds !== null && (
            <span className="dim">
              until <TimeText millis={now + seconds * 1000} />
            </span>
          )}
        </div>
      </div>
      <div className="field-label">
        <label htmlFor="silence-reminder">Reminder</label>
        <div className="row">
          <select
            id="silence-reminder"
            className="field"
            value={remind}
            onChange={(event) => change({ remind: event.currentTarget.value })}
          >
            <option value="">as configured</option>
            {REMINDERS.map((one) => (
              <option key={one} value={one}>
                {one} before it ends
              </option>
            ))}
          </select>
          {isTooLate && <span className="dim">The silence is too short for that: nobody would be reminded.</span>}
        </div>
      </div>
    </>
  );
}
