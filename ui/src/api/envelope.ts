// Prometheus' envelope around every answer: status, data, warnings and infos.
import { RefusedError } from './http';

export interface Envelope<Data> {
  readonly data: Data;
  readonly warnings: readonly string[];
  readonly infos: readonly string[];
}

/** Takes the envelope off. The data's type is the caller's claim about the API. */
export function unwrap<Data>(answer: unknown): Envelope<Data> {
  if (typeof answer !== 'object' || answer === null || !('data' in answer)) {
    throw new RefusedError('the answer has no data', 200, 'not_json');
  }
  const fields = answer as { data: Data; warnings?: string[]; infos?: string[] };
  return { data: fields.data, warnings: fields.warnings ?? [], infos: fields.infos ?? [] };
}
