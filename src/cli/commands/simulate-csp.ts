import { Command } from 'commander';
import { REAL_TIMES } from '../../local/csp-simulator/settings.ts';
import { startCspSimulator } from '../../local/csp-simulator.ts';
import { wholeNumber } from './seed.ts';

interface SimulatorOptions {
  readonly accounts: number;
  readonly host: string;
  readonly port: number;
  readonly token?: string;
}

export function simulateCspCommand(): Command {
  return new Command('simulate-csp')
    .description('serve a made-up provider until a signal ends it, for a test installation')
    .option('--accounts <count>', 'sandbox accounts that it lists at first', wholeNumber, 200)
    .option('--host <address>', 'address to listen on', '127.0.0.1')
    .option('--port <port>', 'port to listen on; 0 takes a free one', wholeNumber, 8090)
    .option('--token <token>', 'what its callers must send, as CSP_API_TOKEN of the broker')
    .addHelpText(
      'after',
      '\nA delete takes 5 to 10 s, as the real one does. That, and faults, can be set while it runs: see /_simulator at its\naddress.',
    )
    .action(async (options: SimulatorOptions) => {
      // The first process of a container dies of no signal that it does not listen for.
      const asked = new Promise<void>((resolve) => {
        for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => resolve());
      });
      const simulator = await startCspSimulator({ ...options, settings: REAL_TIMES });
      process.stdout.write(
        `A simulated provider with ${options.accounts} accounts listens: CSP_BASE_URL=${simulator.baseUrl}\n`,
      );
      await asked;
      await simulator.close();
    });
}
