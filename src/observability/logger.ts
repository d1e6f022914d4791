import { type DestinationStream, type Logger, pino } from 'pino';
import { prettyFactory } from 'pino-pretty';

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
  const pretty = prettyFactory({ colorize: false, ignore: 'pid,hostname', singleLine: true });
  const stream: DestinationStream =
    options.format === 'json' ? destination : { write: (line) => destination.write(pretty(line)) };
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
