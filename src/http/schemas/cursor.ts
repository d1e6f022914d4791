import { createHash } from 'node:crypto';
import { z } from 'zod';
import { BrokerError } from '../../domain/errors.ts';
import type { ListingFilter, ListingPosition } from '../../store/pool-listing.ts';

/** What the database takes as a key. A cursor that holds more was never made here. */
const keyPart = (maxBytes: number) =>
  z
    .string()
    .min(1)
    .refine((text) => text.isWellFormed() && Buffer.byteLength(text) <= maxBytes);

/** The least number above 0 that the database knows; those of JavaScript begin at 5e-324. */
const LEAST_NUMBER = 1e-130;

const contentsSchema = z.strictObject({
  /** Which listing it belongs to. */
  f: z.string(),
  p: z.int().min(0),
  a: z
    .strictObject({
      PK: keyPart(2048),
      SK: keyPart(1024),
      allocatedAt: z
        .number()
        .min(0)
        .max(Number.MAX_SAFE_INTEGER)
        .refine((time) => time === 0 || time >= LEAST_NUMBER)
        .optional(),
    })
    .optional(),
});

/** Opaque to clients: where a listing stands, good for that listing alone. */
export function encodeCursor(filter: ListingFilter, position: ListingPosition): string {
  const contents = { f: fingerprint(filter), p: position.partition, a: position.after };
  return Buffer.from(JSON.stringify(contents)).toString('base64url');
}

/**
 * Believes nothing: a cursor only says after which row to go on, the rest of the key comes from the filter.
 *
 * @param partitions how many the listing walks
 * @throws BrokerError VALIDATION_ERROR for a cursor that is malformed or belongs to another listing
 */
export function decodeCursor(cursor: string, filter: ListingFilter, partitions: number): ListingPosition {
  const contents = contentsSchema.safeParse(parse(cursor));
  if (!contents.success) throw invalidCursor('is malformed');
  const { f, p, a } = contents.data;
  if (f !== fingerprint(filter)) throw invalidCursor('belongs to a listing with other filters');
  const throughIndex = filter.status !== undefined || filter.track !== undefined;
  const ofSandbox =
    a === undefined || (a.PK.startsWith('SBX#') && a.SK === 'META' && a.allocatedAt !== undefined);
  if (p >= partitions || (throughIndex && !ofSandbox)) throw invalidCursor('is malformed');
  return { partition: p, after: a };
}

function parse(cursor: string): unknown {
  try {
    return JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
  } catch {
    return undefined;
  }
}

function fingerprint(filter: ListingFilter): string {
  const text = JSON.stringify([filter.status, filter.track, filter.lab, filter.namePrefix]);
  return createHash('sha256').update(text).digest('base64url').slice(0, 12);
}

function invalidCursor(problem: string): BrokerError {
  return new BrokerError('VALIDATION_ERROR', `Invalid query parameter: cursor ${problem}`, {
    details: [{ field: 'cursor', message: problem }],
  });
}
