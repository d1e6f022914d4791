import type { IncomingMessage } from 'node:http';
import {
  BatchGetItemCommand,
  DescribeTableCommand,
  DynamoDBClient,
  QueryCommand,
  TransactWriteItemsCommand,
} from '@aws-sdk/client-dynamodb';
import { expect, test } from 'vitest';
import { makeLean } from '../../../src/store/lean-client.ts';
import { answerJson, startAnsweringServer } from '../../support/answering-server.ts';

const key = { PK: { S: 'CLAIM#Zoë "x"\n' }, SK: { S: 'META' } };
const COMMANDS = {
  'a transaction': () =>
    new TransactWriteItemsCommand({
      ClientRequestToken: 'token-1',
      TransactItems: [
        {
          Put: {
            TableName: 'Pool',
            Item: {
              ...key,
              at: { N: '1774000000' },
              gone: { NULL: true },
              is: { BOOL: false },
              l: { L: [{ S: '' }] },
            },
            ConditionExpression: 'attribute_not_exists(PK)',
            ReturnValuesOnConditionCheckFailure: 'ALL_OLD',
          },
        },
        { Delete: { TableName: 'Pool', Key: key, ConditionExpression: undefined } },
      ],
    }),
  'a query': () =>
    new QueryCommand({
      TableName: 'Pool',
      IndexName: 'StatusIndex',
      KeyConditionExpression: '#s = :s',
      ExpressionAttributeNames: { '#s': 'status' },
      ExpressionAttributeValues: { ':s': { S: 'available' } },
      Limit: 15,
      ExclusiveStartKey: undefined,
    }),
  'a batch of reads': () =>
    new BatchGetItemCommand({ RequestItems: { Pool: { Keys: [key], ConsistentRead: true } } }),
  'a description': () => new DescribeTableCommand({ TableName: 'Pool' }),
};

for (const [what, command] of Object.entries(COMMANDS)) {
  test(`${what} goes over the wire as the SDK itself would send it`, async () => {
    const seen: { headers: IncomingMessage['headers']; body: string }[] = [];
    const endpoint = await startAnsweringServer(async (request, response) => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      seen.push({ headers: request.headers, body: Buffer.concat(chunks).toString() });
      answerJson(response, {});
    });
    const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
    const options = { endpoint, region: 'eu-west-1', credentials, cacheMiddleware: true };
    const [plain, lean] = [new DynamoDBClient(options), new DynamoDBClient(options)];
    makeLean(lean);
    for (const client of [plain, lean, lean]) await client.send(command() as DescribeTableCommand);
    const [first, ...others] = seen.map(({ headers, body }) => ({
      target: headers['x-amz-target'],
      type: headers['content-type'],
      length: Number(headers['content-length']) === Buffer.byteLength(body),
      body: JSON.parse(body),
    }));
    expect(first?.body).not.toEqual({});
    expect(others).toEqual([first, first]);
    plain.destroy();
    lean.destroy();
  });
}
