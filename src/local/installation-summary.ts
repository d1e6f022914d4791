/** What a script needs to know of it. */
export interface InstallationSummary {
  readonly brokers: string[];
  readonly engine: string;
  readonly csp: string;
  readonly trackToken: string;
  readonly adminToken: string;
  readonly pids: { readonly local: number; readonly engine: number | null; readonly brokers: number[] };
}
