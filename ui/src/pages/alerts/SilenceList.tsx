// Silences: those that hold, those to come, and those that are over.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { expireSilence, type RoutedAlert, type Silence } from '../../api/alertmanager';
import { routedAlertsQuery, silencesQuery } from '../../api/polling';
import { RECURRENCE, REMIND_BEFORE, REMINDER } from '../../api/silences';
import { Badge, type Tone } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { EmptyState } from '../../components/EmptyState';
import { Link } from '../../components/Link';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { matchesFilter } from '../../formatting/matchText';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { allHold, formatMatchers, namedBy } from './matchers';
import { orderSilences } from './orderSilences';

type State = Silence['status']['state'];

const TONES: Readonly<Record<State, Tone>> = { active: 'good', pending: 'medium', expired: 'low' };

const SHOWN_AT_FIRST = 50;

interface SilenceListProps {
  readonly filter: string;
  /** Opens the form with the matchers of a silence that is over. */
  readonly onAgain: (draft: string) => void;
}

export function SilenceList({ filter, onAgain }: SilenceListProps) {
  const silences = useQuery(silencesQuery);
  const alerts = useQuery(routedAlertsQuery).data ?? [];
  return (
    <Loaded query={silences} height={420}>
      {(data) => {
        const chosen = orderSilences(data).filter((silence) => {
          const words = `${silence.id}\n${formatMatchers(silence.matchers)}\n${silence.comment}\n${silence.createdBy}`;
          return matchesFilter(filter, namedBy(silence.matchers), words);
        });
        if (chosen.length === 0) {
          return (
            <div className="panel">
              <EmptyState icon="silence" title={data.length === 0 ? 'Nothing is silenced' : 'No silence fits the filter'}>
                <p>A silence keeps alerts from being sent for a while: during a repair, or until tomorrow.</p>
              </EmptyState>
            </div>
          );
        }
        return <Items silences={chosen} alerts={alerts} onAgain={onAgain} />;
      }}
    </Loaded>
  );
}

interface ItemsProps {
  readonly silences: readonly Silence[];
  readonly alerts: readonly RoutedAlert[];
  readonly onAgain: (draft: string) => void;
}

function Items({ silences, alerts, onAgain }: ItemsProps) {
  const { shown, more } = useCapped(silences, SHOWN_AT_FIRST);
  return (
    <section className="panel" aria-label="Silences">
      <ul className="alert-list">
        {shown.map((silence) => (
          <SilenceItem key={silence.id} silence={silence} alerts={alerts} onAgain={onAgain} />
        ))}
      </ul>
      {more}
    </section>
  );
}

interface SilenceItemProps {
  readonly silence: Silence;
  readonly alerts: readonly RoutedAlert[];
  readonly onAgain: (draft: string) => void;
}

function SilenceItem({ silence, alerts, onAgain }: SilenceItemProps) {
  const client = useQueryClient();
  const expire = useMutation({
    mutationFn: () => expireSilence(silence.id),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: silencesQuery.queryKey });
      await client.invalidateQueries({ queryKey: routedAlertsQuery.queryKey });
    },
  });
  const { state } = silence.status;
  const text = formatMatchers(silence.matchers);
  const covered = alerts.filter((alert) => allHold(silence.matchers, alert.labels)).length;
  return (
    <li className={state === 'expired' ? 'alert alert-suppressed' : 'alert'}>
      <div className="alert-text">
        <div className="row">
          <Badge tone={TONES[state]}>{state}</Badge>
          {silence.annotations?.[RECURRENCE] !== undefined && <Badge tone="low">recurring</Badge>}
          <code>{text}</code>
        </div>
        <p>
          {silence.comment} <span className="dim">({silence.createdBy})</span>
        </p>
        {expire.error !== null && <Banner tone="high" title={expire.error.message} />}
      </div>
      <div className="alert-side">
        {state === 'expired' ? (
          <span>
            ended <TimeText millis={parseTime(silence.endsAt)} form="ago" />
          </span>
        ) : (
          <span>
            ends <TimeText millis={parseTime(silence.endsAt)} form="left" />
          </span>
        )}
        {state !== 'expired' && (
          <span className="dim">
            <TimeText millis={parseTime(silence.endsAt)} />
          </span>
        )}
        {state !== 'expired' && <span className="dim">holds for {formatCount(covered, 'firing alert')}</span>}
        {state === 'active' && <Reminder silence={silence} alerts={alerts} />}
        {state === 'expired' ? (
          <Button size="compact-xs" variant="default" onClick={() => onAgain(`{${text}}`)}>
            Silence again
          </Button>
        ) : (
          <Button
            size="compact-xs"
            variant="default"
            loading={expire.isPending}
            aria-label={`End the silence ${text}`}
            onClick={() => expire.mutate()}
          >
            End now
          </Button>
        )}
      </div>
    </li>
  );
}

interface ReminderProps {
  readonly silence: Silence;
  readonly alerts: readonly RoutedAlert[];
}

/** Whether somebody is reminded before it ends, or was already: then an alert says so. */
function Reminder({ silence: { id, annotations }, alerts }: ReminderProps) {
  const sent = alerts.find(({ labels }) => labels['alertname'] === REMINDER && labels['silence'] === id);
  if (sent !== undefined) return <Link href={`/alerts/${sent.fingerprint}`}>a reminder of its end fires</Link>;
  const before = annotations?.[REMIND_BEFORE];
  return before === undefined ? null : <span className="dim">reminds {before} before</span>;
}
