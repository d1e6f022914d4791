import { z } from 'zod';

/** How a listing tells that it has further pages; `offset` keeps silent and only honours `_limit` and `_offset`. */
export const PAGING_STYLES = ['offset', 'link', 'page', 'token', 'total'] as const;

export const settingsSchema = z
  .strictObject({
    /** A delete takes at least this long. */
    delete_min_ms: z.number().min(0).max(600_000).default(0),
    delete_max_ms: z.number().min(0).max(600_000).default(0),
    /** A deleted account is still listed for this long, and for this many listings, whichever lasts longer. */
    linger_seconds: z.number().min(0).max(86_400).default(0),
    linger_listings: z.number().int().min(0).max(10_000).default(0),
    /** Rows of a page at most; null for listings in one piece. */
    page_size: z.number().int().min(1).max(100_000).nullable().default(null),
    paging: z.enum(PAGING_STYLES).default('offset'),
    /** How long the tokens of the NIOSXaaS session are good for. */
    jwt_seconds: z.number().int().min(1).max(86_400).default(3600),
  })
  .refine((settings) => settings.delete_max_ms === 0 || settings.delete_max_ms >= settings.delete_min_ms, {
    path: ['delete_max_ms'],
    message: 'must be 0 or at least delete_min_ms',
  });

/** How long deletes take the real provider: for simulators that people look at, not for tests. */
export const REAL_TIMES = { delete_min_ms: 5_000, delete_max_ms: 10_000 };

export type SimulatorSettings = z.infer<typeof settingsSchema>;
