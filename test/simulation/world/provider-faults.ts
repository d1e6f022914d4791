export const PROVIDER_FAULTS = [
  /** 500, nothing done. */
  'error',
  /** 500, and it was done. */
  'error-after',
  /** 429, with or without Retry-After. */
  'rate-limited',
  /** A page for people, with status 200, nothing done. */
  'maintenance-page',
  /** No answer ever, nothing done. */
  'hanging',
  /** Done, and no answer ever. */
  'answer-lost',
  /** The connection breaks, nothing done. */
  'reset',
  /** A listing without anything in it. */
  'empty-listing',
  /** A listing that lacks some accounts. */
  'short-listing',
] as const;

export type ProviderFault = (typeof PROVIDER_FAULTS)[number];
