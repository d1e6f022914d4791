import { ADMIN_TOKEN, TRACK_TOKEN } from './table.ts';
import { keepOutOfLogs } from './watched-log.ts';

export interface Answer {
  readonly status: number;
  readonly headers: Headers;
  // biome-ignore lint/suspicious/noExplicitAny: tests look into bodies of every shape
  readonly body: any;
}

export type RequestHeaders = Record<string, string>;

/** One request, its answer read and parsed. */
export async function call(
  method: string,
  url: string,
  headers: RequestHeaders = {},
  body?: unknown,
): Promise<Answer> {
  const credential = /^bearer +(\S+)/i.exec(headers.authorization ?? '')?.[1];
  if (credential !== undefined) keepOutOfLogs(credential);
  const response = await fetch(url, {
    method,
    headers: body === undefined ? headers : { 'content-type': 'application/json', ...headers },
    ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
    redirect: 'manual',
  });
  const text = await response.text();
  let parsed: unknown = text;
  try {
    parsed = JSON.parse(text);
  } catch {
    // Not every answer is JSON.
  }
  return { status: response.status, headers: response.headers, body: parsed };
}

export const asTrack = (track: string, headers: RequestHeaders = {}): RequestHeaders => ({
  authorization: `Bearer ${TRACK_TOKEN}`,
  'x-instruqt-sandbox-id': track,
  ...headers,
});

export const asAdmin = (headers: RequestHeaders = {}): RequestHeaders => ({
  authorization: `Bearer ${ADMIN_TOKEN}`,
  ...headers,
});

export const allocate = (url: string, track: string, headers: RequestHeaders = {}) =>
  call('POST', `${url}/v1/allocate`, asTrack(track, headers));

export const release = (url: string, track: string, sandboxId: string) =>
  call('POST', `${url}/v1/sandboxes/${encodeURIComponent(sandboxId)}/mark-for-deletion`, asTrack(track));
