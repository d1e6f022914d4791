import { z } from 'zod';

/** As JSON writes a number, without a sign: not nothing, no space, no "0x10". */
const NUMBER = /^\d+(\.\d+)?([eE][+-]?\d+)?$/;
const INTEGER = /^\d+$/;

/**
 * A number as a query parameter, described as the number that it becomes. Whatever is not written as one is left as it
 * is, for the schema to refuse: coercing would take nothing at all for 0.
 */
export const queryNumber = <Schema extends z.ZodType<number>>(schema: Schema) => written(NUMBER, schema);

/** How many rows an answer may have. Not `.default()`: of a schema that transforms, the document would not show it. */
export const limitSchema = written(INTEGER, z.int('must be a whole number').min(1).max(100)).prefault(50);

function written<Schema extends z.ZodType<number>>(form: RegExp, schema: Schema) {
  return z.preprocess((text) => (typeof text === 'string' && form.test(text) ? Number(text) : text), schema);
}
