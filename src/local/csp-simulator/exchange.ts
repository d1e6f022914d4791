import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Clock } from '../../domain/clock.ts';
import type { FaultBoard } from './fault-board.ts';
import type { SimulatedCall } from './faults.ts';
import type { LoggedRequest, RequestLog } from './request-log.ts';
import { lastSegment, type SimulatedAccount } from './simulated-accounts.ts';
import { alteredAnswer, deliver, faultAnswer, type SimulatedAnswer } from './simulated-answer.ts';

export interface ExchangeParts {
  readonly clock: Clock;
  readonly faults: FaultBoard;
  readonly log: RequestLog;
  /** Aborts when the simulator closes: whatever it delays then is over. */
  readonly closing: AbortSignal;
}

export interface SimulatedRoute {
  readonly call: SimulatedCall;
  /** Which account the request is for, to aim faults and for the log. */
  readonly account?: (request: FastifyRequest) => SimulatedAccount | string | undefined;
  /** The true answer, and the effect that goes with it. */
  readonly perform: (request: FastifyRequest) => SimulatedAnswer | Promise<SimulatedAnswer>;
}

/** Makes the handlers of the simulated routes: each request is logged, struck by faults, performed, answered. */
export function exchanges({ clock, faults, log, closing }: ExchangeParts) {
  let inFlight = 0;
  let answers = 0;

  return (route: SimulatedRoute) => async (request: FastifyRequest, reply: FastifyReply) => {
    const account = route.account?.(request);
    const names = namesOf(account);
    const began = clock.monotonic();
    inFlight += 1;
    const entry: LoggedRequest = {
      at: clock.now(),
      call: route.call,
      method: request.method,
      path: request.url,
      account: names[0] ?? null,
      request_id: String(request.headers['x-request-id'] ?? '') || null,
      in_flight: inFlight,
      fault: null,
      status: null,
      duration_ms: null,
    };
    log.begin(entry);
    try {
      const { delayMs, fault } = faults.strike(route.call, names);
      entry.fault = fault?.kind ?? (delayMs > 0 ? 'latency' : null);
      if (delayMs > 0) await clock.sleep(delayMs, closing);

      const silent = fault?.kind === 'hang' || fault?.kind === 'reset';
      const instead = fault === null ? null : faultAnswer(fault, request.headers.authorization ?? '');
      const hidden = fault !== null && 'after_effect' in fault && fault.after_effect;
      const performed = hidden || (instead === null && !silent);
      const truth = performed ? alteredAnswer(fault, await route.perform(request)) : null;
      const answer = silent ? null : (instead ?? truth);

      entry.status = answer?.status ?? null;
      entry.duration_ms = clock.monotonic() - began;
      answers += 1;
      deliver(reply, answer && withRequestId(answer, answers), fault);
    } catch (error) {
      if (!closing.aborted) throw error;
      deliver(reply, null, null);
    } finally {
      // One that hangs is under way until its client has had enough.
      if (entry.fault === 'hang') reply.raw.once('close', () => (inFlight -= 1));
      else inFlight -= 1;
    }
  };
}

function namesOf(account: SimulatedAccount | string | undefined): string[] {
  if (account === undefined) return [];
  if (typeof account === 'string') return [account];
  return [account.id, lastSegment(account.id), account.name, String(account.csp_id)];
}

/** The real service names its requests, too. */
function withRequestId(answer: SimulatedAnswer, number: number): SimulatedAnswer {
  return { ...answer, headers: { 'x-request-id': `simulator-${number}`, ...answer.headers } };
}
