// Whom a silence will mute, now and over the last 30 days, while its matchers are edited.
import { keepPreviousData, useQuery } from '@tanstack/react-query';
import type { Matcher } from '../../api/alertmanager';
import { UnreachableError } from '../../api/http';
import { wouldMute, type MutedAlert, type WouldMute } from '../../api/silences';
import { Badge } from '../../components/Badge';
import { Banner } from '../../components/Banner';
import { LabelList } from '../../components/LabelList';
import { TimeText } from '../../components/TimeText';
import { useCapped } from '../../components/useCapped';
import { useDebounced } from '../../components/useDebounced';
import { formatCount } from '../../formatting/number';
import { parseTime } from '../../formatting/time';
import { asksForSomething, formatMatchers } from './matchers';
import { summaryOf } from './previewText';

const RETRY_MS = 2_000;
/** Alerts listed at first. */
const SHOWN_AT_FIRST = 5;

export function SilencePreview({ matchers }: { readonly matchers: readonly Matcher[] }) {
  // As text: what stands still is the same value.
  const settled = useDebounced(matchers.map((matcher) => formatMatchers([matcher])).join('\n'));
  const isAsked = asksForSomething(matchers) && settled !== '';
  const preview = useQuery({
    queryKey: ['would-mute', settled],
    queryFn: ({ signal }) => wouldMute(settled.split('\n'), signal),
    enabled: isAsked,
    placeholderData: keepPreviousData,
    staleTime: 10_000,
    // Until the server is back; what it refuses it refuses again.
    refetchInterval: ({ state }) => (state.error instanceof UnreachableError ? RETRY_MS : false),
  });
  const { data, error, isPlaceholderData, isFetching } = preview;
  return (
    <section className="preview" aria-label="Whom it mutes">
      <p role="status">
        {!isAsked && <span className="dim">Matchers that ask for a value show here whom it mutes.</span>}
        {isAsked && error === null && data === undefined && <span className="dim">Looking whom it mutes …</span>}
        {isAsked && error === null && data !== undefined && (
          <>
            {summaryOf(data)}
            {isPlaceholderData && isFetching && <span className="dim"> Looking again …</span>}
          </>
        )}
      </p>
      {isAsked && error !== null && <Banner tone="medium" title={`Whom it mutes is not known: ${error.message}`} />}
      {isAsked && error === null && data !== undefined && <MutedList key={settled} preview={data} />}
    </section>
  );
}

function MutedList({ preview: { list, alerts } }: { readonly preview: WouldMute }) {
  const { shown, more } = useCapped(list, SHOWN_AT_FIRST);
  if (list.length === 0) return null;
  return (
    <>
      <ul className="preview-list">
        {shown.map((one) => (
          <MutedItem key={one.fingerprint} one={one} />
        ))}
      </ul>
      {more}
      {alerts > list.length && (
        <p className="dim preview-rest">{(alerts - list.length).toLocaleString('en')} more are not listed.</p>
      )}
    </>
  );
}

function MutedItem({ one }: { readonly one: MutedAlert }) {
  return (
    <li>
      <div className="row row-between">
        <span className="row">
          {one.firing && <Badge tone="critical">fires now</Badge>}
          {/* In another window: what is written in the form stays. */}
          <a href={`/alerts/${one.fingerprint}`} target="_blank" rel="noreferrer noopener">
            {one.labels['alertname'] ?? one.fingerprint}
          </a>
        </span>
        <span className="dim">
          began {formatCount(one.fired, 'time')}, last <TimeText millis={parseTime(one.last)} form="ago" />
        </span>
      </div>
      <LabelList labels={one.labels} skip={['alertname']} />
    </li>
  );
}
