import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { sourceFiles } from './source-files.ts';

/** What an operator's command calls with the operator's own rights, and never a task. */
const OPERATORS_CALLS: Readonly<Record<string, string>> = {
  CreateTableCommand: '`table create`; in AWS, Terraform makes the table',
  UpdateTimeToLiveCommand: '`table create`',
  BatchWriteItemCommand: '`seed`',
};

/** What a call of the SDK needs. Transactions are authorised by what is in them. */
const ACTIONS: Readonly<Record<string, string | undefined>> = {
  BatchGetItemCommand: 'dynamodb:BatchGetItem',
  DeleteCommand: 'dynamodb:DeleteItem',
  DeleteItemCommand: 'dynamodb:DeleteItem',
  DescribeTableCommand: 'dynamodb:DescribeTable',
  DescribeTimeToLiveCommand: 'dynamodb:DescribeTimeToLive',
  GetCommand: 'dynamodb:GetItem',
  GetItemCommand: 'dynamodb:GetItem',
  GetSecretValueCommand: 'secretsmanager:GetSecretValue',
  DescribeSecretCommand: 'secretsmanager:DescribeSecret',
  PutCommand: 'dynamodb:PutItem',
  PutItemCommand: 'dynamodb:PutItem',
  QueryCommand: 'dynamodb:Query',
  ScanCommand: 'dynamodb:Scan',
  TransactGetItemsCommand: 'dynamodb:GetItem',
  UpdateCommand: 'dynamodb:UpdateItem',
  UpdateItemCommand: 'dynamodb:UpdateItem',
};

const TRANSACTION_ACTIONS: Readonly<Record<string, string>> = {
  ConditionCheck: 'dynamodb:ConditionCheckItem',
  Delete: 'dynamodb:DeleteItem',
  Put: 'dynamodb:PutItem',
  Update: 'dynamodb:UpdateItem',
};

const allowed = JSON.parse(
  readFileSync(new URL('../../terraform/modules/roles/task-actions.json', import.meta.url), 'utf8'),
) as Record<'table' | 'index' | 'secret', string[]>;

// The parts that only a laptop uses (src/local) run without IAM.
const code = sourceFiles('src').filter(({ path }) => !path.startsWith('src/local/'));

function called(): string[] {
  const calls = code.flatMap(({ text }) =>
    [...text.matchAll(/\bnew (\w+Command)\(/g)].map(([, name]) => name!),
  );
  const items = code.flatMap(({ text }) =>
    [...text.matchAll(/\b(ConditionCheck|Delete|Put|Update): \{/g)].map(([, kind]) => kind!),
  );
  const actions = calls
    .filter((name) => !(name in OPERATORS_CALLS) && name !== 'TransactWriteItemsCommand')
    .map((name) => ACTIONS[name] ?? `unknown call ${name}`);
  return unique([...actions, ...items.map((kind) => TRANSACTION_ACTIONS[kind]!)]);
}

function unique(values: readonly string[]): string[] {
  return [...new Set(values)].sort();
}

describe('the rights of the task role', () => {
  it('are exactly the calls that the code makes', () => {
    expect(unique([...allowed.table, ...allowed.secret])).toEqual(called());
  });

  it('reach the indexes for queries only, as the code does', () => {
    const onIndexes = code.flatMap(({ text }) =>
      [...text.matchAll(/new (\w+Command)\(\{(?:(?!\bnew \w+Command\().)*?IndexName:/gs)].map(
        ([, name]) => name!,
      ),
    );
    const actions = onIndexes
      .filter((name) => !(name in OPERATORS_CALLS))
      .map((name) => ACTIONS[name] ?? name);
    expect(allowed.index).toEqual(unique(actions));
  });

  it('are sorted by what they are made on: the table and its indexes, or secrets', () => {
    expect([...allowed.table, ...allowed.index].filter((action) => !action.startsWith('dynamodb:'))).toEqual(
      [],
    );
    expect(allowed.secret.filter((action) => !action.startsWith('secretsmanager:'))).toEqual([]);
  });
});
