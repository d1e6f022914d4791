import type { BreakerState } from './circuit-breaker.ts';
import type { CspCall, CspErrorKind } from './csp-error.ts';

/** `aborted`: given up by the caller, such as at a shutdown. */
export type CallOutcome = 'success' | 'aborted' | CspErrorKind;

/** Told of every call and of every change of a breaker, for metrics and logs. Must not throw. */
export interface ProviderObserver {
  /** `seconds` is 0 for a call that was not sent. */
  onCall?(call: { call: CspCall; outcome: CallOutcome; seconds: number; status: number | null }): void;
  onBreaker?(name: 'csp' | 'niosxaas', state: BreakerState): void;
}
