// In one sentence: why somebody was told of an alert, or was not.
import type { ExplainedIntegration, ExplainedRoute, Explanation } from '../../api/alerts';
import type { Tone } from '../../components/Badge';

export interface Verdict {
  readonly tone: Tone;
  /** Moments as RFC 3339, alerts as fingerprints in parentheses, silences by their ids: `Sentence` shows them. */
  readonly text: string;
}

interface Told {
  readonly route: ExplainedRoute;
  readonly integration: ExplainedIntegration;
}

/** The sentence; null where nothing is known of such an alert. */
export function verdictOf(explanation: Explanation): Verdict | null {
  if (explanation.labels === null) return null;
  switch (explanation.state) {
    case 'pending':
      return pending(explanation);
    case 'gone':
      return gone(explanation);
    case 'resolved':
      return resolved(explanation);
    case 'suppressed':
      return suppressed(explanation);
    case 'active':
      return active(explanation);
  }
}

const integrationsOf = ({ routes }: Explanation): Told[] =>
  routes.flatMap((route) => route.integrations.map((integration) => ({ route, integration })));

const unique = (words: readonly string[]): string[] => [...new Set(words)];

/** `a`, `a and b`, `a, b and c`. */
export function joinWords(words: readonly string[]): string {
  if (words.length < 2) return words.join('');
  return `${words.slice(0, -1).join(', ')} and ${words.at(-1) ?? ''}`;
}

/** Who they are; where others of the same receiver fared otherwise, with the names of the integrations. */
function namesOf(told: readonly Told[], others: readonly Told[]): string[] {
  const names = told.map(({ route: { receiver }, integration }) =>
    others.some(({ route }) => route.receiver === receiver) ? `${receiver} (${integration.name})` : receiver,
  );
  return unique(names);
}

/** `team was`, `team and boss were`. */
const were = (names: readonly string[]): string => `${joinWords(names)} ${names.length > 1 ? 'were' : 'was'}`;

/** The earliest of some moments; all are of one format, so that they sort as texts. */
const earliest = (moments: readonly (string | null)[]): string | undefined =>
  moments.filter((moment) => moment !== null).sort()[0];

const latest = (moments: readonly (string | null)[]): string | undefined =>
  moments.filter((moment) => moment !== null).sort().at(-1);

function pending({ rule, receivers }: Explanation): Verdict {
  const who = receivers.length === 0 ? 'nobody' : joinWords(receivers);
  const when = rule?.firesAt == null ? '' : ` It fires at ${rule.firesAt} if that goes on; then ${who} will be told.`;
  const text = `Nobody was told yet: its condition holds, but not for ${rule?.for ?? 'long enough'} yet.${when}`;
  return { tone: 'medium', text };
}

function gone({ attempts, history }: Explanation): Verdict {
  const arrived = attempts.filter((attempt) => attempt.outcome === 'delivered');
  if (arrived.length > 0) {
    const names = unique(arrived.map((attempt) => attempt.receiver));
    return { tone: 'low', text: `It is over. ${were(names)} told, last at ${arrived[0]?.at ?? ''}.` };
  }
  const failed = attempts[0];
  if (failed !== undefined) {
    const why = failed.error === null ? '' : `: ${failed.error}`;
    return { tone: 'high', text: `It is over. Nobody was told: every attempt to tell ${failed.receiver} failed${why}.` };
  }
  const muted = history.find((event) => event.change === 'suppressed');
  if (muted !== undefined) return { tone: 'low', text: `It is over. Nobody was told: it was ${muted.detail}.` };
  return { tone: 'low', text: 'It is over. No attempt to tell anybody of it is recorded.' };
}

function resolved(explanation: Explanation): Verdict {
  const all = integrationsOf(explanation);
  const heard = all.filter(({ integration }) => integration.toldResolved);
  if (heard.length > 0) {
    const at = latest(heard.map(({ integration }) => integration.groupToldAt));
    return { tone: 'good', text: `It is over, and ${were(namesOf(heard, []))} told of its end at ${at ?? ''}.` };
  }
  const wait = all.filter(({ integration }) => integration.toldFiring);
  if (wait.length > 0 && explanation.flapping) {
    return { tone: 'medium', text: `It is over for now. ${were(namesOf(wait, []))} not told of its end, because it flaps.` };
  }
  if (wait.length > 0) {
    const at = earliest(wait.map(({ route }) => route.nextFlush));
    const when = at === undefined ? '' : `; its group is looked at next at ${at}`;
    return { tone: 'low', text: `It is over. ${were(namesOf(wait, []))} told that it fires, not of its end yet${when}.` };
  }
  return { tone: 'low', text: 'It is over, and nobody was told of it.' };
}

/** What keeps it from being told, in the order in which it is decided. */
function reasonOf({ inhibitedBy, silencedBy, routes }: Explanation): string {
  if (inhibitedBy !== null) {
    return `${inhibitedBy.labels['alertname'] ?? 'another alert'} (${inhibitedBy.fingerprint}) inhibits it`;
  }
  const [silence] = silencedBy;
  if (silence !== undefined) return `silence ${silence.id} of ${silence.createdBy} mutes it until ${silence.endsAt}`;
  const times = unique(routes.flatMap((route) => route.mutedBy));
  return timesMute(times);
}

function timesMute(names: readonly string[]): string {
  const quoted = joinWords(names.map((name) => `“${name}”`));
  return names.length > 1 ? `the time intervals ${quoted} mute it` : `the time interval ${quoted} mutes it`;
}

function suppressed(explanation: Explanation): Verdict {
  const before = integrationsOf(explanation).filter(({ integration }) => integration.toldFiring);
  const reason = reasonOf(explanation);
  if (before.length === 0) return { tone: 'low', text: `Nobody was told: ${reason}.` };
  const at = latest(before.map(({ integration }) => integration.groupToldAt));
  return { tone: 'low', text: `${were(namesOf(before, []))} told at ${at ?? ''}. Now nobody is: ${reason}.` };
}

function active(explanation: Explanation): Verdict {
  const all = integrationsOf(explanation);
  if (all.length === 0) {
    const who = joinWords(unique(explanation.routes.map((route) => route.receiver)));
    const why = who === '' ? 'no route takes it' : `the receiver ${who} has no integration`;
    return { tone: 'high', text: `Nobody is told: ${why}.` };
  }
  const told = all.filter(({ integration }) => integration.toldFiring);
  const failing = all.filter(({ integration }) => !integration.toldFiring && (integration.pendingAttempts ?? 0) > 0);
  const waiting = all.filter((one) => !told.includes(one) && !failing.includes(one));
  const isNobody = told.length === 0;
  const sentences = [
    toldText(told, [...failing, ...waiting]),
    failingText({ failing, others: told, attempts: explanation.attempts }, isNobody),
    waitingText(waiting, [...told, ...failing], isNobody),
  ];
  const tone = failing.length > 0 ? 'high' : isNobody ? 'medium' : 'good';
  return { tone, text: sentences.filter((sentence) => sentence !== '').join(' ') };
}

function toldText(told: readonly Told[], others: readonly Told[]): string {
  if (told.length === 0) return '';
  const at = latest(told.map(({ integration }) => integration.groupToldAt));
  return `${were(namesOf(told, others))} told at ${at ?? ''}.`;
}

interface Failing {
  readonly failing: readonly Told[];
  readonly others: readonly Told[];
  readonly attempts: Explanation['attempts'];
}

function failingText({ failing, others, attempts: made }: Failing, isNobody: boolean): string {
  const [first] = failing;
  if (first === undefined) return '';
  const { name, pendingAttempts, nextAttempt } = first.integration;
  const last = made.find((attempt) => attempt.receiver === first.route.receiver && attempt.integration === name);
  const error = first.integration.error ?? last?.error ?? null;
  const attempts = pendingAttempts === 1 ? 'an attempt' : `${pendingAttempts ?? 0} attempts`;
  const why = error === null ? '' : ` (${error})`;
  const next = nextAttempt === null ? '' : `; the next is at ${nextAttempt}`;
  const failed = `${attempts} to tell ${joinWords(namesOf(failing, others))} failed${why}${next}`;
  return isNobody ? `Nobody was told yet: ${failed}.` : `${failed.charAt(0).toUpperCase()}${failed.slice(1)}.`;
}

function waitingText(waiting: readonly Told[], others: readonly Told[], isNobody: boolean): string {
  if (waiting.length === 0) return '';
  const who = isNobody ? 'Nobody was told yet' : `${were(namesOf(waiting, others))} not told yet`;
  return `${who}: ${whyWaiting(waiting)}.`;
}

function whyWaiting(waiting: readonly Told[]): string {
  if (waiting.some(({ integration }) => integration.pendingAttempts === 0)) return 'a notification is on its way';
  const muted = unique(waiting.flatMap(({ route }) => route.mutedBy));
  if (muted.length > 0) return timesMute(muted);
  const at = earliest(waiting.map(({ route }) => route.nextFlush));
  return at === undefined ? 'it has left its group' : `its group is looked at next at ${at}`;
}
