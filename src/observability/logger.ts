import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  readonly format: 'json' | 'text';
}

/** What every line of JSON has, if only as null: whoever reads the log may count on it. */
const FIELDS = ['request_id', 'track_id', 'sandbox_id', 'action', 'outcome', 'latency_ms'] as const;

type Line = { readonly [field in (typeof FIELDS)[number]]?: unknown };

/**
 * One JSON object a line, or text for people. Nothing logs headers; should anything ever try to, what could
 * hold a credential is cut out.
 */
export function createLogger(
  options: LoggerOptions,
  destination: DestinationStream = standardOutput(),
): Logger {
  const stream = options.format === 'json' ? destination : prettyStream(destination);
  return pino(
    {
      level: options.level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: [
          'authorization',
          'token',
          'password',
          '*.authorization',
          '*.token',
          '*.password',
          'headers',
          '*.headers',
        ],
        censor: '[redacted]',
      },
      serializers: { err: pino.stdSerializers.err },
      ...(options.format === 'json' ? { mixin: missingFields, mixinMergeStrategy: addMissing } : {}),
    },
    stream,
  );
}

/** Nothing for the lines of requests, which are nearly all there are and name each field themselves. */
function missingFields(line: Line, _level: number, logger: Logger): Record<string, null> {
  if (isWhole(line)) return NONE;
  const bound = logger.bindings();
  const missing = FIELDS.filter((field) => line[field] === undefined && !(field in bound));
  return Object.fromEntries(missing.map((field) => [field, null]));
}

/** Spelled out: a loop would cost the line of a request a twentieth more. */
function isWhole(line: Line): boolean {
  return (
    line.request_id !== undefined &&
    line.track_id !== undefined &&
    line.sandbox_id !== undefined &&
    line.action !== undefined &&
    line.outcome !== undefined &&
    line.latency_ms !== undefined
  );
}

const NONE: Record<string, null> = {};

function addMissing(line: object, missing: object): object {
  return missing === NONE ? line : { ...line, ...missing };
}

/** For people. Loaded on demand: production does without it. */
function prettyStream(destination: DestinationStream): DestinationStream {
  const { prettyFactory } = createRequire(import.meta.url)('pino-pretty') as typeof import('pino-pretty');
  const pretty = prettyFactory({ colorize: false, ignore: 'pid,hostname', singleLine: true });
  return { write: (line) => destination.write(pretty(line)) };
}

/**
 * Lines are written several at a time: each would be a call to the system of its own, in which everybody waits. They come
 * out within a tenth of a second and when the process ends; a process that is killed takes that much of its log with it.
 */
function standardOutput(): DestinationStream {
  return pino.destination({
    dest: 1,
    sync: false,
    minLength: 4_096,
    periodicFlush: 100,
    // Where nobody reads, lines are lost in the end, and not the memory.
    maxLength: 16 * 1024 * 1024,
  });
}
