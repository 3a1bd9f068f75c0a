// One route that an alert takes: who is told, when its group is looked at, what each integration heard.
import type { ExplainedIntegration, ExplainedRoute } from '../../api/alerts';
import { Badge } from '../../components/Badge';
import { LabelList } from '../../components/LabelList';
import { Link } from '../../components/Link';
import { Sentence } from '../../components/Sentence';
import { TimeText } from '../../components/TimeText';
import { parseTime } from '../../formatting/time';
import { stateOf } from './integrationState';

interface RoutePanelProps {
  readonly route: ExplainedRoute;
  /** Whether the alert has ended, so that its end is what is to be told. */
  readonly isOver: boolean;
}

export function RoutePanel({ route, isOver }: RoutePanelProps) {
  const { receiver, integrations, mutedBy, groupLabels, nextFlush } = route;
  return (
    <section className="panel" aria-label={`Route to ${receiver}`}>
      <div className="panel-head">
        <div className="row">
          <h2>To {receiver}</h2>
          {mutedBy.map((name) => (
            <Badge key={name} tone="low">
              muted by time interval {name}
            </Badge>
          ))}
        </div>
        <span className="row">
          <span className="dim">
            {nextFlush === null ? (
              'it has left its group'
            ) : (
              <>
                its group is looked at next <TimeText millis={parseTime(nextFlush)} form="left" />
              </>
            )}
          </span>
          <Link href={`/alerts?view=notifications&test=${encodeURIComponent(receiver)}`}>
            Test {receiver} …
          </Link>
        </span>
      </div>
      <dl className="panel-body route-facts">
        <div>
          <dt>Route</dt>
          <dd>
            <code>{route.route}</code>
          </dd>
        </div>
        <div>
          <dt>Group</dt>
          <dd>{Object.keys(groupLabels).length === 0 ? 'all alerts of the route' : <LabelList labels={groupLabels} />}</dd>
        </div>
        <div>
          <dt>Times</dt>
          <dd>
            first after {route.groupWait}, changes after {route.groupInterval}, again after {route.repeatInterval}
          </dd>
        </div>
      </dl>
      {integrations.length === 0 ? (
        <p className="panel-body">This receiver has no integration: nobody is told.</p>
      ) : (
        <table className="table table-stacked">
          <tbody>
            {integrations.map((integration) => (
              <IntegrationRow key={integration.name} integration={integration} isOver={isOver} />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

function IntegrationRow({ integration, isOver }: { readonly integration: ExplainedIntegration; readonly isOver: boolean }) {
  const { word, tone } = stateOf(integration, isOver);
  const { failingSince, error } = integration;
  return (
    <tr>
      <td className="fit">
        <Badge tone={tone}>{word}</Badge>
      </td>
      <td className="fit mono">{integration.name}</td>
      <td>
        <Sentence text={integration.verdict} />
        {failingSince !== null && (
          <div className="table-note">
            It fails since <TimeText millis={parseTime(failingSince)} />
            {error !== null && `: ${error}`}
          </div>
        )}
      </td>
    </tr>
  );
}
