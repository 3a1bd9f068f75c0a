// Where a rule pack stands, in words.
import type { Pack } from '../../api/packs';
import type { Tone } from '../../components/Badge';

export function packState({ file, groups }: Pack): { readonly word: string; readonly tone: Tone } {
  if (file === null) return { word: 'off', tone: 'low' };
  return groups === 0 ? { word: 'not evaluated', tone: 'high' } : { word: 'enabled', tone: 'good' };
}

/** `all 9 metrics`, `3 of 9 metrics`, `none of its 9 metrics`. `present` is missing while that is not known. */
export function metricsText({ metrics }: Pack, present: ReadonlySet<string> | undefined): string {
  const needed = metrics.length;
  if (present === undefined) return `${needed} metrics`;
  const there = metrics.filter((name) => present.has(name)).length;
  if (there === needed) return `all ${needed} metrics are there`;
  if (there === 0) return `none of its ${needed} metrics is there`;
  return `${there} of its ${needed} metrics ${there === 1 ? 'is' : 'are'} there`;
}

/** Those that are not there, by name. */
export function missingMetrics({ metrics }: Pack, present: ReadonlySet<string> | undefined): string[] {
  return present === undefined ? [] : metrics.filter((name) => !present.has(name));
}

/** What somebody types to change it. */
export function packCommand({ name, file }: Pack): string {
  return `binnacle pack ${file === null ? 'enable' : 'disable'} ${name} --reload`;
}
