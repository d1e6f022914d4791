import { isSandbox, statusOf } from '../support/table-rows.ts';
import {
  type Contradiction,
  type FinalRow,
  type History,
  sandboxOf,
  tellCall,
  tellContradiction,
} from './history.ts';

type Item = Readonly<Record<string, unknown>>;

/** What the items of the table tell of a history when all is over. */
export function tableAtEnd(items: readonly Item[]): Pick<History, 'finalRows' | 'begunBy'> {
  return { finalRows: items.filter(isSandbox).map(finalRow), begunBy: begunBy(items) };
}

/** A contradiction with all that was said of its sandboxes, and their rows and events, which say who ended what. */
export function tellInFull(contradiction: Contradiction, { calls }: History, items: readonly Item[]): string {
  const ids = new Set(contradiction.calls.map(sandboxOf));
  ids.delete(undefined);
  return [
    tellContradiction(contradiction),
    'All calls about its sandboxes:',
    ...calls.filter((call) => ids.has(sandboxOf(call))).map((call) => `  ${tellCall(call)}`),
    'What the table holds of them at the end:',
    ...items.filter((item) => ids.has(item.sandbox_id as string)).map((item) => `  ${JSON.stringify(item)}`),
  ].join('\n');
}

function finalRow(row: Item): FinalRow {
  return {
    sandboxId: String(row.sandbox_id),
    status: statusOf(row),
    track: (row.allocated_to_track as string | undefined) ?? null,
    idempotencyKey: (row.idempotency_key as string | undefined) ?? null,
  };
}

/** The row says it while it is there, and its events when it is gone. */
function begunBy(items: readonly Item[]): ReadonlyMap<string, string> {
  return new Map(
    items.flatMap(({ sandbox_id: sandboxId, allocation_request_id: requestId }) =>
      typeof requestId === 'string' ? [[String(sandboxId), requestId] as const] : [],
    ),
  );
}
