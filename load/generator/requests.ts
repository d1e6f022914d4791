import type { Callers } from './protocol.ts';

export interface PreparedRequest {
  readonly caller: string;
  readonly message: string;
}

/** The requests of one load, one after the other. */
export function* requestsOf(callers: Callers): Generator<PreparedRequest, never> {
  const head = [
    'POST /v1/allocate HTTP/1.1',
    'Host: broker',
    `Authorization: Bearer ${callers.token}`,
    'Content-Length: 0',
    ...(callers.namePrefix === undefined ? [] : [`X-Sandbox-Name-Prefix: ${callers.namePrefix}`]),
    'X-Instruqt-Track-ID: lab-bench',
    'X-Instruqt-Sandbox-ID: ',
  ].join('\r\n');
  const request = (caller: string) => ({ caller, message: `${head}${caller}\r\n\r\n` });
  const replays = callers.replays ?? [];
  for (let number = 0; ; number += 1) {
    yield request(`${callers.run}-${number}`);
    const replay = replays[number];
    if (replay !== undefined) yield request(replay);
  }
}
