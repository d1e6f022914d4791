const HEADER_NAMES: Record<string, string> = {
  'x-instruqt-sandbox-id': 'X-Instruqt-Sandbox-ID',
  'x-track-id': 'X-Track-ID',
  'x-instruqt-track-id': 'X-Instruqt-Track-ID',
  'x-sandbox-name-prefix': 'X-Sandbox-Name-Prefix',
  'idempotency-key': 'Idempotency-Key',
};

/** A header as documents and messages spell it, from the lower case in which it arrives. */
export function headerName(field: string): string {
  return HEADER_NAMES[field] ?? field;
}
