import { z } from 'zod';

/** Digits, and a fraction where there is one: not nothing, no space, no sign, no "0x10", no "1e1". */
const DECIMAL = /^\d+(\.\d+)?$/;

/**
 * A number as a query parameter, described as the number that it becomes. Whatever is not written as one is left as it
 * is, for the schema to refuse: coercing would take nothing at all for 0.
 */
export function queryNumber<Schema extends z.ZodType<number>>(schema: Schema) {
  return z.preprocess(
    (text) => (typeof text === 'string' && DECIMAL.test(text) ? Number(text) : text),
    schema,
  );
}

/** How many rows an answer may have. Not `.default()`: of a schema that transforms, the document would not show it. */
export const limitSchema = queryNumber(z.int('must be a whole number').min(1).max(100)).prefault(50);
