import { createRequire } from 'node:module';
import { type DestinationStream, type Logger, pino } from 'pino';

export interface LoggerOptions {
  readonly level: string;
  readonly format: 'json' | 'text';
}

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
    },
    stream,
  );
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
