// PromQL: instant and range queries, and their answers as numbers.
import type { Labels } from '../formatting/labels';
import { unwrap } from './envelope';
import { postForm, type Parameters } from './http';

/** A moment in seconds and the value then. */
export type Point = readonly [seconds: number, value: number];

export interface Series {
  readonly labels: Labels;
  readonly points: readonly Point[];
}

/** One line of an instant answer. A histogram is shown as text. */
export interface Sample {
  readonly labels: Labels;
  readonly seconds: number;
  readonly value: number | string;
}

export type Result =
  | { readonly kind: 'samples'; readonly samples: readonly Sample[] }
  | { readonly kind: 'series'; readonly series: readonly Series[]; readonly histogramCount: number };

export interface Answer {
  readonly result: Result;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

interface Histogram {
  readonly count: string;
  readonly sum: string;
}

interface WireSeries {
  readonly metric: Labels;
  readonly value?: readonly [number, string];
  readonly histogram?: readonly [number, Histogram];
  readonly values?: readonly (readonly [number, string])[];
  readonly histograms?: readonly (readonly [number, Histogram])[];
}

type WireData =
  | { readonly resultType: 'vector' | 'matrix'; readonly result: readonly WireSeries[] }
  | { readonly resultType: 'scalar' | 'string'; readonly result: readonly [number, string] };

/** Reads a float as the API writes it: `1.5`, `NaN`, `+Inf`. */
export function parseFloatText(text: string): number {
  if (text === '+Inf' || text === 'Inf') return Infinity;
  if (text === '-Inf') return -Infinity;
  return text === '' ? NaN : Number(text);
}

const histogramText = (histogram: Histogram): string => `count ${histogram.count}, sum ${histogram.sum}`;

/** Turns the data of `/api/v1/query` or `/api/v1/query_range` into numbers. */
export function parseResult(data: WireData): Result {
  switch (data.resultType) {
    case 'scalar':
      return single({}, data.result[0], parseFloatText(data.result[1]));
    case 'string':
      return single({}, data.result[0], JSON.stringify(data.result[1]));
    case 'vector':
      return { kind: 'samples', samples: data.result.map(parseSample) };
    case 'matrix':
      return {
        kind: 'series',
        series: data.result.map(parseSeries),
        histogramCount: data.result.filter((series) => (series.histograms?.length ?? 0) > 0).length,
      };
  }
}

function single(labels: Labels, seconds: number, value: number | string): Result {
  return { kind: 'samples', samples: [{ labels, seconds, value }] };
}

function parseSample(wire: WireSeries): Sample {
  if (wire.histogram !== undefined) {
    return { labels: wire.metric, seconds: wire.histogram[0], value: histogramText(wire.histogram[1]) };
  }
  const [seconds, text] = wire.value ?? [0, 'NaN'];
  return { labels: wire.metric, seconds, value: parseFloatText(text) };
}

function parseSeries(wire: WireSeries): Series {
  return {
    labels: wire.metric,
    points: (wire.values ?? []).map(([seconds, text]) => [seconds, parseFloatText(text)] as const),
  };
}

/** Evaluates at one moment; now where `seconds` is missing. */
export async function queryInstant(query: string, seconds?: number, signal?: AbortSignal): Promise<Answer> {
  const parameters: Parameters = seconds === undefined ? { query } : { query, time: String(seconds) };
  return answer(await postForm('/api/v1/query', parameters, signal));
}

export interface Range {
  readonly start: number;
  readonly end: number;
  readonly step: number;
}

/** Evaluates every `step` seconds from `start` to `end`, both included. */
export async function queryRange(query: string, range: Range, signal?: AbortSignal): Promise<Answer> {
  const { start, end, step } = range;
  const parameters = { query, start: String(start), end: String(end), step: String(step) };
  return answer(await postForm('/api/v1/query_range', parameters, signal));
}

function answer(value: unknown): Answer {
  const { data, warnings, infos } = unwrap<WireData>(value);
  return { result: parseResult(data), warnings, infos };
}
