import { claimKeyOf, claimKeyText } from '../../src/domain/identifiers.ts';

type Item = Readonly<Record<string, unknown>>;

/** A sandbox row as the table holds it, read without the broker's own reader. */
export interface RowSeen {
  readonly sandboxId: string;
  readonly status: string;
  readonly name: string;
  readonly externalId: string;
  readonly track: string | null;
  readonly idempotencyKey: string | null;
  readonly allocatedAt: number;
  readonly labDurationHours: number | null;
  readonly lab: string | null;
  readonly deletionRequestedAt: number;
  readonly attempts: number;
  readonly nextAttemptAt: number;
  readonly staleSince: number;
}

export interface EventSeen {
  readonly sortKey: string;
  readonly from: string;
  readonly to: string;
}

/** Everything that the invariants speak of, at one moment. */
export interface Snapshot {
  readonly items: readonly Item[];
  readonly rows: ReadonlyMap<string, RowSeen>;
  readonly tombstones: ReadonlySet<string>;
  readonly events: ReadonlyMap<string, readonly EventSeen[]>;
}

export function snapshotOf(items: readonly Item[]): Snapshot {
  const rows = new Map<string, RowSeen>();
  const tombstones = new Set<string>();
  const events = new Map<string, EventSeen[]>();
  for (const item of items) {
    const partition = String(item.PK);
    const id = partition.slice(partition.indexOf('#') + 1);
    if (partition.startsWith('TOMB#')) tombstones.add(id);
    if (!partition.startsWith('SBX#')) continue;
    if (item.SK === 'META') rows.set(id, rowOf(id, item));
    else {
      const event = { sortKey: String(item.SK), from: String(item.from), to: String(item.to) };
      events.set(id, [...(events.get(id) ?? []), event]);
    }
  }
  return { items, rows, tombstones, events };
}

export function keyOfRow(row: Pick<RowSeen, 'track' | 'idempotencyKey'>): string {
  return claimKeyText(claimKeyOf(row.track ?? '', row.idempotencyKey ?? undefined));
}

function rowOf(sandboxId: string, item: Item): RowSeen {
  const text = (name: string) => (typeof item[name] === 'string' ? item[name] : null);
  const number = (name: string) => (typeof item[name] === 'number' ? item[name] : 0);
  return {
    sandboxId,
    status: String(item.status).split('#')[0] as string,
    name: text('name') ?? sandboxId,
    externalId: text('external_id') ?? sandboxId,
    track: text('allocated_to_track'),
    idempotencyKey: text('idempotency_key'),
    allocatedAt: number('allocated_at'),
    labDurationHours: typeof item.lab_duration_hours === 'number' ? item.lab_duration_hours : null,
    lab: text('track_name'),
    deletionRequestedAt: number('deletion_requested_at'),
    attempts: number('deletion_retry_count'),
    nextAttemptAt: number('next_attempt_at'),
    staleSince: number('stale_since'),
  };
}
