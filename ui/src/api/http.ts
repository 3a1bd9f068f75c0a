// One way to ask the server: JSON in, JSON out, and two kinds of failure that the page tells apart.

/** The server answered, and the answer is an error. */
export class RefusedError extends Error {
  override readonly name = 'RefusedError';

  constructor(
    message: string,
    readonly status: number,
    /** `bad_data`, `execution`, `timeout` …; empty where the answer names none. */
    readonly kind: string,
  ) {
    super(message);
  }
}

/** Nobody answered. */
export class UnreachableError extends Error {
  override readonly name = 'UnreachableError';
}

export type Parameters = Readonly<Record<string, string | readonly string[]>>;

/** Writes parameters as the API reads them; a list becomes the same name several times. */
export function encodeParameters(parameters: Parameters): URLSearchParams {
  const encoded = new URLSearchParams();
  for (const [name, value] of Object.entries(parameters)) {
    for (const one of typeof value === 'string' ? [value] : value) encoded.append(name, one);
  }
  return encoded;
}

/** Reads JSON from `path`. */
export async function getJson(path: string, parameters: Parameters = {}, signal?: AbortSignal): Promise<unknown> {
  const query = encodeParameters(parameters).toString();
  return request(query === '' ? path : `${path}?${query}`, signal === undefined ? {} : { signal });
}

/** Posts a form, which is how long queries travel. */
export async function postForm(path: string, parameters: Parameters, signal?: AbortSignal): Promise<unknown> {
  const body = encodeParameters(parameters);
  return request(path, signal === undefined ? { method: 'POST', body } : { method: 'POST', body, signal });
}

/** Sends JSON. */
export async function sendJson(method: 'POST' | 'DELETE', path: string, value?: unknown): Promise<unknown> {
  if (value === undefined) return request(path, { method });
  return request(path, {
    method,
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(value),
  });
}

async function request(path: string, init: RequestInit): Promise<unknown> {
  let response: Response;
  try {
    response = await fetch(path, init);
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new UnreachableError('Binnacle does not answer');
  }
  // What a proxy in between says when nobody is behind it.
  if (response.status === 502 || response.status === 504) {
    throw new UnreachableError('Binnacle does not answer');
  }
  const text = await response.text();
  const value = parseJson(text);
  if (!response.ok) throw refusal(response.status, value, text);
  if (value === undefined && text !== '') {
    throw new RefusedError(`${path} answered something that is not JSON`, response.status, 'not_json');
  }
  return value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** Finds the message in an error: Prometheus' envelope, Alertmanager's string or object, or plain text. */
export function refusal(status: number, value: unknown, text: string): RefusedError {
  if (status === 401) {
    return new RefusedError('You are not logged in. Reload the page to be asked for a user.', status, 'unauthorized');
  }
  if (typeof value === 'string') return new RefusedError(value, status, '');
  if (typeof value === 'object' && value !== null) {
    const fields = value as Record<string, unknown>;
    const message = fields['error'] ?? fields['message'];
    const kind = fields['errorType'];
    if (typeof message === 'string') return new RefusedError(message, status, typeof kind === 'string' ? kind : '');
  }
  const line = text.split('\n', 1)[0]?.slice(0, 200) ?? '';
  return new RefusedError(line === '' ? `the server answered ${status}` : line, status, '');
}
