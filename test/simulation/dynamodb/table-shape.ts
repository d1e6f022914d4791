import { type TableNames, tableDefinition } from '../../../src/store/table.ts';
import type { Item } from './attribute-values.ts';
import { validation } from './faults.ts';

/** The simulated table and its indexes. */
export const TABLE: TableNames = {
  tableName: 'Simulated',
  statusIndex: 'StatusIndex',
  trackIndex: 'TrackIndex',
  idempotencyIndex: 'IdempotencyIndex',
};

export interface KeyNames {
  readonly partition: string;
  readonly sort: string;
}

/** The keys of a table and of its indexes, and the types of them, from the one definition that production uses. */
export class TableShape {
  readonly tableName: string;
  readonly key: KeyNames;
  readonly indexes: ReadonlyMap<string, KeyNames>;
  readonly #indexKeys: readonly { readonly name: string; readonly type: 'S' | 'N' }[];

  constructor(names: TableNames) {
    const definition = tableDefinition(names);
    this.tableName = definition.TableName;
    this.key = keyNames(definition.KeySchema);
    this.indexes = new Map(
      (definition.GlobalSecondaryIndexes ?? []).map((index) => [
        index.IndexName as string,
        keyNames(index.KeySchema),
      ]),
    );
    this.#indexKeys = (definition.AttributeDefinitions ?? [])
      .filter(({ AttributeName }) => AttributeName !== this.key.partition && AttributeName !== this.key.sort)
      .map(({ AttributeName, AttributeType }) => ({
        name: AttributeName as string,
        type: AttributeType as 'S' | 'N',
      }));
  }

  /** One string for an item's key, in the order of the keys. @throws ValidationException */
  keyOf(item: Item): string {
    const partition = item[this.key.partition]?.S;
    const sort = item[this.key.sort]?.S;
    if (partition === undefined || sort === undefined || partition === '' || sort === '')
      throw validation('One or more parameter values were invalid: Missing or empty key');
    return `${partition}\n${sort}`;
  }

  /** A key given alone must be a key and nothing more. @throws ValidationException */
  keyGiven(key: Item): string {
    if (Object.keys(key).length !== 2) throw validation('The provided key element does not match the schema');
    return this.keyOf(key);
  }

  /** What is the key of an index must have the index's type wherever it is there. @throws ValidationException */
  checkItem(item: Item): void {
    for (const { name, type } of this.#indexKeys) {
      const value = item[name];
      if (value === undefined) continue;
      if (value[type] === undefined || value[type] === '')
        throw validation(`One or more parameter values were invalid: Type mismatch for Index Key ${name}`);
    }
  }

  checkTable(tableName: string | undefined): void {
    if (tableName !== this.tableName) throw validation(`There is no table ${String(tableName)}`);
  }
}

function keyNames(schema: readonly { AttributeName: string | undefined }[] | undefined): KeyNames {
  const [partition, sort] = schema ?? [];
  return { partition: partition?.AttributeName as string, sort: sort?.AttributeName as string };
}
