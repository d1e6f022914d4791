import { expect } from 'vitest';
import { type Answer, asAdmin, asTrack, call, type RequestHeaders } from '../../../support/client.ts';
import { PublishedContract } from './published-contract.ts';

/** A client that holds every answer against what the broker publishes of itself. */
export interface Api {
  readonly url: string;
  readonly contract: PublishedContract;
  call(method: string, path: string, headers?: RequestHeaders, body?: unknown): Promise<Answer>;
  allocate(track: string, headers?: RequestHeaders): Promise<Answer>;
  release(track: string, sandboxId: string, headers?: RequestHeaders): Promise<Answer>;
  read(track: string, sandboxId: string, headers?: RequestHeaders): Promise<Answer>;
  /** Below `/v1/admin`, with the admin token. */
  admin(method: string, path: string, body?: unknown, headers?: RequestHeaders): Promise<Answer>;
}

export async function apiOf(url: string): Promise<Api> {
  const contract = await PublishedContract.of(url);
  const checked: Api['call'] = async (method, path, headers, body) => {
    const answer = await call(method, url + path, headers, body);
    expect(contract.differences(method, path, answer), JSON.stringify(answer.body)).toEqual([]);
    return answer;
  };
  const sandboxPath = (sandboxId: string) => `/v1/sandboxes/${encodeURIComponent(sandboxId)}`;
  return {
    url,
    contract,
    call: checked,
    allocate: (track, headers) => checked('POST', '/v1/allocate', asTrack(track, headers)),
    release: (track, sandboxId, headers) =>
      checked('POST', `${sandboxPath(sandboxId)}/mark-for-deletion`, asTrack(track, headers)),
    read: (track, sandboxId, headers) => checked('GET', sandboxPath(sandboxId), asTrack(track, headers)),
    admin: (method, path, body, headers) => checked(method, `/v1/admin${path}`, asAdmin(headers), body),
  };
}

/** An error in short: `409 NO_SANDBOXES_AVAILABLE`. */
export function refusal({ status, body }: Answer): string {
  return `${status} ${body?.error?.code ?? 'without a code'}`;
}

/** What an error says is wrong with the request, part by part. */
export function wrongFields({ body }: Answer): string[] {
  return body.error.details.map((detail: { field: string }) => detail.field);
}
