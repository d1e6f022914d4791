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
  destination: DestinationStream = process.stdout,
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
