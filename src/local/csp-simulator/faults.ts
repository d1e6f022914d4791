import { z } from 'zod';

export const SIMULATED_CALLS = [
  'list',
  'delete',
  'create',
  'niosxaas_sign_in',
  'niosxaas_switch',
  'niosxaas_list',
  'niosxaas_delete',
] as const;

export type SimulatedCall = (typeof SIMULATED_CALLS)[number];

/** Which calls a fault is for, and how often it strikes. */
const aim = {
  /** `niosxaas` stands for its four calls. Every call where it is missing. */
  call: z.enum([...SIMULATED_CALLS, 'niosxaas']).optional(),
  /** Id, its last segment, csp_id or name: only calls for this account. */
  account: z.string().min(1).optional(),
  /** Strikes so many times and is gone. For ever where it is missing. */
  times: z.number().int().min(1).optional(),
  /** Of striking at a call that it is for. */
  probability: z.number().min(0).max(1).optional(),
};

/** Whether the call has its effect before the fault, so that a delete happens and its answer is lost. */
const afterEffect = { after_effect: z.boolean().default(false) };
const retryAfter = {
  /** Seconds, or an HTTP date, sent as it is. */
  retry_after: z.union([z.number().int().min(0), z.string().min(1)]).optional(),
};

export const faultSchema = z.discriminatedUnion('kind', [
  /** Waits before anything else happens; further faults of the same call still strike. */
  z.strictObject({
    kind: z.literal('latency'),
    ...aim,
    milliseconds: z.number().min(0).max(600_000),
    /** Uniform between the two where it is given. */
    max_milliseconds: z.number().min(0).max(600_000).optional(),
  }),
  /** Never answers. */
  z.strictObject({ kind: z.literal('hang'), ...aim, ...afterEffect }),
  /** Closes the connection without an answer. */
  z.strictObject({ kind: z.literal('reset'), ...aim, ...afterEffect }),
  z.strictObject({ kind: z.literal('rate_limited'), ...aim, ...afterEffect, ...retryAfter }),
  /** By default the 500 about the licence service. */
  z.strictObject({
    kind: z.literal('error'),
    ...aim,
    ...afterEffect,
    ...retryAfter,
    status: z.number().int().min(300).max(599).default(500),
    body: z.enum(['licence', 'empty', 'echo']).default('licence'),
  }),
  /** A page for people, with any status, 200 among them. */
  z.strictObject({
    kind: z.literal('html'),
    ...aim,
    ...afterEffect,
    ...retryAfter,
    status: z.number().int().min(200).max(599).default(503),
  }),
  z.strictObject({
    kind: z.literal('unauthorized'),
    ...aim,
    status: z.union([z.literal(401), z.literal(403)]).default(401),
  }),
  /** A listing that is well-formed and empty. */
  z.strictObject({ kind: z.literal('empty_list'), ...aim }),
  /** A listing that is well-formed and lacks all but the first rows. */
  z.strictObject({ kind: z.literal('short_list'), ...aim, keep: z.number().int().min(0) }),
  /** Half of the answer, as if that were all. */
  z.strictObject({ kind: z.literal('truncated_json'), ...aim }),
  /** Half of the answer, and then the connection is closed. */
  z.strictObject({ kind: z.literal('cut_connection'), ...aim }),
  /** Deletes beyond `limit` within `window_seconds` answer the 500 about the licence service. */
  z.strictObject({
    kind: z.literal('delete_burst'),
    ...aim,
    limit: z.number().int().min(0),
    window_seconds: z.number().min(0.001).max(86_400),
  }),
]);

export type Fault = z.infer<typeof faultSchema>;
/** A fault as it is written: fields with a default may be missing. */
export type FaultInput = z.input<typeof faultSchema>;

export const faultListSchema = z.strictObject({ faults: z.array(faultSchema) });
