// The form for a new silence. It says how many alerts it will hold for before it is made.
import { Button, Modal } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState, type FormEvent } from 'react';
import { createSilence, type Matcher } from '../../api/alertmanager';
import { routedAlertsQuery, silencesQuery } from '../../api/polling';
import { Banner } from '../../components/Banner';
import { TimeText } from '../../components/TimeText';
import { useNow } from '../../components/useNow';
import { usePersonName } from '../../components/usePersonName';
import { parseDuration } from '../../formatting/duration';
import { formatCount } from '../../formatting/number';
import { MatcherFields } from './MatcherFields';
import { allHold, parseMatchers } from './matchers';
import { problemOf } from './silenceProblem';
import '../../components/filter.css';

const DURATIONS: readonly string[] = ['30m', '2h', '8h', '1d', '7d'];
const EMPTY: Matcher = { name: '', value: '', isEqual: true, isRegex: false };

interface SilenceDialogProps {
  /** Matchers to begin with, as text; the dialog is open while this is not empty. */
  readonly draft: string;
  readonly onClose: () => void;
}

export function SilenceDialog({ draft, onClose }: SilenceDialogProps) {
  return (
    <Modal opened={draft !== ''} onClose={onClose} title="New silence" size="lg" closeButtonProps={{ 'aria-label': 'Close' }}>
      {draft !== '' && <SilenceForm key={draft} draft={draft} onDone={onClose} />}
    </Modal>
  );
}

function SilenceForm({ draft, onDone }: { readonly draft: string; readonly onDone: () => void }) {
  const client = useQueryClient();
  const now = useNow();
  const alerts = useQuery(routedAlertsQuery).data ?? [];
  const [person, setPerson] = usePersonName();
  const [comment, setComment] = useState('');
  const [duration, setDuration] = useState('2h');
  const [matchers, setMatchers] = useState<readonly Matcher[]>(() => {
    const parsed = parseMatchers(draft) ?? [];
    return parsed.length > 0 ? parsed : [EMPTY];
  });
  const seconds = parseDuration(duration);
  const covered = alerts.filter((alert) => allHold(matchers, alert.labels)).length;
  const problem = problemOf({ matchers, seconds, comment, person });
  const create = useMutation({
    mutationFn: () => {
      const start = Date.now();
      return createSilence({
        matchers,
        startsAt: new Date(start).toISOString(),
        endsAt: new Date(start + (seconds ?? 0) * 1000).toISOString(),
        createdBy: person.trim(),
        comment: comment.trim(),
      });
    },
    onSuccess: async () => {
      onDone();
      await client.invalidateQueries({ queryKey: silencesQuery.queryKey });
      await client.invalidateQueries({ queryKey: routedAlertsQuery.queryKey });
    },
  });
  const submit = (event: FormEvent) => {
    event.preventDefault();
    if (problem === null) create.mutate();
  };
  return (
    <form className="stack" onSubmit={submit}>
      <MatcherFields matchers={matchers} onChange={setMatchers} />
      <p className="dim" role="status">
        It holds for {formatCount(covered, 'firing alert')}.
      </p>
      <div className="field-label">
        <label htmlFor="silence-duration">Duration</label>
        <div className="row">
          <input
            id="silence-duration"
            className="field duration-field"
            value={duration}
            onChange={(event) => setDuration(event.currentTarget.value)}
          />
          {DURATIONS.map((one) => (
            <Button key={one} size="compact-sm" variant="default" onClick={() => setDuration(one)}>
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
      <label className="field-label">
        Your name
        <input className="field" value={person} autoComplete="name" data-autofocus={person === '' ? true : undefined} onChange={(event) => setPerson(event.currentTarget.value)} />
      </label>
      <label className="field-label">
        Why
        <textarea className="field" rows={2} value={comment} data-autofocus={person === '' ? undefined : true} onChange={(event) => setComment(event.currentTarget.value)} />
      </label>
      <div role="status">{create.error !== null && <Banner tone="high" title={create.error.message} />}</div>
      <div className="row row-between">
        <span className="dim">{problem ?? ''}</span>
        <Button type="submit" disabled={problem !== null} loading={create.isPending}>
          Silence
        </Button>
      </div>
    </form>
  );
}
