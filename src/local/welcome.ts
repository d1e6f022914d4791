import type { InstallationSummary } from './installation-summary.ts';

/** What the screen shows when everything has started: where things are, and commands to paste. */
export function welcome(
  summary: InstallationSummary,
  { dataFolder, basePath }: { dataFolder?: string | undefined; basePath: string },
): string {
  const [first = ''] = summary.brokers;
  const api = first + basePath;
  const track = `-H 'Authorization: Bearer ${summary.trackToken}' -H 'X-Instruqt-Sandbox-ID: student-1'`;
  return `
Broker         ${summary.brokers.join('  ')}
Documentation  ${api}/docs
Engine         ${summary.engine}${whereItKeepsThings(summary, dataFolder)}
Provider       ${summary.csp}/_simulator
Track token    ${summary.trackToken}
Admin token    ${summary.adminToken}

Get a sandbox, look at it, give it back:

  curl -sS -X POST ${api}/allocate ${track} | tee /tmp/sandbox.json

  curl -sS ${api}/sandboxes/$(sed 's/.*"sandbox_id":"\\([^"]*\\)".*/\\1/' /tmp/sandbox.json) ${track}

  curl -sS -X POST ${api}/sandboxes/$(sed 's/.*"sandbox_id":"\\([^"]*\\)".*/\\1/' /tmp/sandbox.json)/mark-for-deletion ${track}

Ctrl-C stops everything.
`;
}

function whereItKeepsThings(summary: InstallationSummary, dataFolder: string | undefined): string {
  // An engine of somebody else's.
  if (summary.pids.engine === null) return '';
  return dataFolder === undefined ? ' (in memory)' : ` (in ${dataFolder})`;
}
