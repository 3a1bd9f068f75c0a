// Silences that come again: what they mute, when, and when next.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { Silence } from '../../api/alertmanager';
import { recurrencesQuery, routedAlertsQuery, silencesQuery } from '../../api/polling';
import { endRecurrence, RECURRENCE, type Recurrence } from '../../api/silences';
import { Badge } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { Icon } from '../../components/Icon';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { matchesFilter } from '../../formatting/matchText';
import { parseTime } from '../../formatting/time';
import { formatMatchers, namedBy } from './matchers';
import { orderRecurrences } from './orderSilences';
import { describeWindow } from './timeWindow';

const SHOWN_AT_FIRST = 20;

interface RecurringListProps {
  readonly filter: string;
  /** Opens the form: with an id, or `new`. */
  readonly onEdit: (id: string) => void;
}

export function RecurringList({ filter, onEdit }: RecurringListProps) {
  const recurrences = useQuery(recurrencesQuery);
  const silences = useQuery(silencesQuery).data ?? [];
  return (
    <section className="panel" aria-label="Recurring silences">
      <div className="panel-head">
        <h2>Again and again</h2>
        <Button
          size="compact-sm"
          variant="default"
          leftSection={<Icon name="plus" size={12} />}
          onClick={() => onEdit('new')}
        >
          New recurring silence
        </Button>
      </div>
      <Loaded query={recurrences} height={60}>
        {(data) => <Items data={data} filter={filter} silences={silences} onEdit={onEdit} />}
      </Loaded>
    </section>
  );
}

interface ItemsProps extends RecurringListProps {
  readonly data: readonly Recurrence[];
  readonly silences: readonly Silence[];
}

function Items({ data, filter, silences, onEdit }: ItemsProps) {
  const chosen = orderRecurrences(data).filter((one) => {
    const words = `${one.id}\n${formatMatchers(one.matchers)}\n${one.comment}\n${one.createdBy}\n${describeWindow(one.window)}`;
    return matchesFilter(filter, namedBy(one.matchers), words);
  });
  const { shown, more } = useCapped(chosen, SHOWN_AT_FIRST);
  if (chosen.length === 0) {
    return (
      <p className="panel-body dim">
        {data.length === 0
          ? 'None: a silence that comes again mutes what is expected, such as a backup each Saturday night.'
          : 'No recurring silence fits the filter.'}
      </p>
    );
  }
  return (
    <>
      <ul className="alert-list">
        {shown.map((one) => (
          <Item key={one.id} recurrence={one} running={runningOf(one, silences)} onEdit={onEdit} />
        ))}
      </ul>
      {more}
    </>
  );
}

/** The silence that it made and that holds now. */
function runningOf({ id }: Recurrence, silences: readonly Silence[]): Silence | undefined {
  return silences.find(
    (silence) => silence.status.state === 'active' && silence.annotations?.[RECURRENCE] === id,
  );
}

interface ItemProps {
  readonly recurrence: Recurrence;
  readonly running: Silence | undefined;
  readonly onEdit: (id: string) => void;
}

function Item({ recurrence, running, onEdit }: ItemProps) {
  const text = formatMatchers(recurrence.matchers);
  const until = parseTime(recurrence.until);
  return (
    <li className="alert">
      <div className="alert-text">
        <div className="row">
          <Badge tone={running === undefined ? 'low' : 'good'}>{running === undefined ? 'waits' : 'active'}</Badge>
          <code>{text}</code>
        </div>
        <p>{describeWindow(recurrence.window)}</p>
        <p>
          {recurrence.comment} <span className="dim">({recurrence.createdBy})</span>
        </p>
      </div>
      <div className="alert-side">
        {running === undefined ? (
          <Next recurrence={recurrence} />
        ) : (
          <span>
            ends <TimeText millis={parseTime(running.endsAt)} form="left" />
          </span>
        )}
        {until !== null && (
          <span className="dim">
            until <TimeText millis={until} />
          </span>
        )}
        <Actions recurrence={recurrence} text={text} onEdit={onEdit} />
      </div>
    </li>
  );
}

function Next({ recurrence: { next } }: { readonly recurrence: Recurrence }) {
  if (next === null) return <span className="dim">does not come again</span>;
  return (
    <>
      <span>
        next <TimeText millis={parseTime(next)} form="left" />
      </span>
      <span className="dim">
        <TimeText millis={parseTime(next)} />
      </span>
    </>
  );
}

interface ActionsProps {
  readonly recurrence: Recurrence;
  readonly text: string;
  readonly onEdit: (id: string) => void;
}

function Actions({ recurrence, text, onEdit }: ActionsProps) {
  const client = useQueryClient();
  const [isAsking, setAsking] = useState(false);
  const end = useMutation({
    mutationFn: () => endRecurrence(recurrence.id),
    onSuccess: async () => {
      for (const { queryKey } of [recurrencesQuery, silencesQuery, routedAlertsQuery]) {
        await client.invalidateQueries({ queryKey });
      }
    },
  });
  if (isAsking) {
    return (
      <div className="row" role="group" aria-label="End it for good?">
        <span>End it for good?</span>
        <Button size="compact-xs" loading={end.isPending} autoFocus onClick={() => end.mutate()}>
          End it
        </Button>
        <Button size="compact-xs" variant="default" onClick={() => setAsking(false)}>
          Keep it
        </Button>
        {end.error !== null && <Banner tone="high" title={end.error.message} />}
      </div>
    );
  }
  return (
    <div className="row">
      <Button size="compact-xs" variant="default" aria-label={`Change ${text}`} onClick={() => onEdit(recurrence.id)}>
        Change
      </Button>
      <Button size="compact-xs" variant="default" aria-label={`End ${text} for good`} onClick={() => setAsking(true)}>
        End …
      </Button>
    </div>
  );
}
