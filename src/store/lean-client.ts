import type { DynamoDBClient } from '@aws-sdk/client-dynamodb';

/** What travels along the middleware of a call. */
interface Arguments {
  input: object;
  request?: unknown;
  /** The input as it goes over the wire. */
  body?: string;
}

// biome-ignore lint/suspicious/noExplicitAny: the SDK's middleware is typed for one command, and this is for all
type Next = (args: any) => Promise<any>;

/**
 * Takes out of the SDK's way what our calls do not need. Each is measured: see docs/performance.md.
 *
 * - The logger middleware copies every input and output without what is sensitive, for a logger that does nothing.
 * - The serializer walks a schema beside the input. DynamoDB's inputs are their own JSON (the AWS JSON 1.0 protocol):
 *   ours hold no bytes and no dates, the only values that are not. So the runtime writes them, and the SDK serializes
 *   an empty input, with the headers of the operation.
 *
 * @see https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html
 */
export function makeLean(client: DynamoDBClient): void {
  const stack = client.middlewareStack;
  stack.remove('loggerMiddleware');
  stack.add(
    (next: Next) => (args: Arguments) => {
      const lean: Arguments = { ...args, input: {}, body: JSON.stringify(args.input) };
      return next(lean);
    },
    { step: 'initialize', name: 'writeBody', priority: 'low' },
  );
  stack.addRelativeTo(
    (next: Next) => (args: Arguments) => {
      const { body, request } = args;
      (request as { body: string }).body = body as string;
      return next(args);
    },
    { relation: 'after', toMiddleware: 'serializerMiddleware', name: 'useBody' },
  );
}
