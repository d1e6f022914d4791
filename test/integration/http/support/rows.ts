import { GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import type { TestTable } from '../../../support/table.ts';

export type Row = Record<string, unknown>;

/** Puts a sandbox into the table as if a history had left it so. @returns its id */
export async function putSandbox(table: TestTable, sandboxId: string, attributes: Row = {}): Promise<string> {
  await table.database.documents.send(
    new PutCommand({
      TableName: table.database.tableName,
      Item: {
        PK: `SBX#${sandboxId}`,
        SK: 'META',
        sandbox_id: sandboxId,
        name: `lab-${sandboxId}`,
        external_id: `identity/accounts/${sandboxId}`,
        status: 'available',
        allocated_at: 0,
        deletion_requested_at: 0,
        deletion_retry_count: 0,
        last_synced: 1_774_000_000,
        created_at: 1_774_000_000,
        updated_at: 1_774_000_000,
        ...attributes,
      },
    }),
  );
  return sandboxId;
}

/** One item as the engine holds it. */
export async function itemOf(table: TestTable, PK: string): Promise<Row | undefined> {
  const answer = await table.database.documents.send(
    new GetCommand({ TableName: table.database.tableName, Key: { PK, SK: 'META' }, ConsistentRead: true }),
  );
  return answer.Item;
}
