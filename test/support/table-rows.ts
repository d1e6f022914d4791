type Item = Readonly<Record<string, unknown>>;

export function isSandbox({ PK, SK }: Item): boolean {
  return String(PK).startsWith('SBX#') && SK === 'META';
}

/** Without the part of the index that the row is in. */
export function statusOf(row: Item): string {
  return String(row.status).split('#')[0] as string;
}

/** Whether its deletion could be tried now. @param now Unix seconds */
export function dueForDeletion(row: Item, now: number): boolean {
  return statusOf(row) === 'pending_deletion' && Number(row.next_attempt_at ?? 0) <= now;
}
