// Silences: those that hold, those to come, and those that are over.
import { Button } from '@mantine/core';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { expireSilence, type RoutedAlert, type Silence } from '../../api/alertmanager';
import { routedAlertsQuery, silencesQuery } from '../../api/polling';
import { Badge, type Tone } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { EmptyState } from '../../components/EmptyState';
import { Loaded } from '../../components/Loaded';
import { TimeText } from '../../components/TimeText';
import type { Labels } from '../../formatting/labels';
import { matchesFilter } from '../../formatting/matchText';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { allHold, formatMatchers } from './matchers';
import { orderSilences } from './orderSilences';

type State = Silence['status']['state'];

const TONES: Readonly<Record<State, Tone>> = { active: 'good', pending: 'medium', expired: 'low' };
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
          return matchesFilter(filter, namedBy(silence), words);
        });
        return (
          <div className="panel">
            {chosen.length === 0 ? (
              <EmptyState icon="silence" title={data.length === 0 ? 'Nothing is silenced' : 'No silence fits the filter'}>
                <p>A silence keeps alerts from being sent for a while: during a repair, or until tomorrow.</p>
              </EmptyState>
            ) : (
              <ul className="alert-list">
                {chosen.map((silence) => (
                  <SilenceItem key={silence.id} silence={silence} alerts={alerts} onAgain={onAgain} />
                ))}
              </ul>
            )}
          </div>
        );
      }}
    </Loaded>
  );
}

/** What the matchers ask for, so that a filter like `alertname="X"` finds the silence. */
function namedBy(silence: Silence): Labels {
  const wanted = silence.matchers.filter((matcher) => matcher.isEqual);
  return Object.fromEntries(wanted.map(({ name, value }) => [name, value]));
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
        {state !== 'expired' && <span className="dim">holds for {formatCount(covered, 'firing alert')}</span>}
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
