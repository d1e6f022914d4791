import type { FaultInput } from '../../src/local/csp-simulator/faults.ts';
import type { FaultRule } from '../faults/wire-faults.ts';
import type { Installation } from './installation.ts';
import type { Fault } from './scenario.ts';

/** When a fault begins and when it is taken back, in seconds from the first student on. */
export interface When {
  readonly from: number;
  readonly to: number;
}

/** Which broker: by its number, or the one that runs a job at that moment. */
export type Which = number | { readonly runs: string };

export function brokerKilled(which: Which, when: When): Fault {
  return {
    ...when,
    what: `${nameOf(which)} is killed, and started again at the end`,
    strike: async (installation) => {
      const number = await numberOf(which, installation);
      await installation.fleet.kill(number);
      return () => installation.fleet.startAgain(number);
    },
  };
}

export function brokerPaused(which: Which, when: When): Fault {
  return {
    ...when,
    what: `${nameOf(which)} is stopped (SIGSTOP), and continued at the end`,
    strike: async (installation) => installation.fleet.pause(await numberOf(which, installation)),
  };
}

export function clockOff(which: number, minutes: number, when: When): Fault {
  return {
    ...when,
    what: `the clock of ${nameOf(which)} is ${Math.abs(minutes)} minutes ${minutes > 0 ? 'ahead' : 'behind'}, and set right at the end`,
    strike: (installation) => {
      installation.clockOffSeconds = Math.max(installation.clockOffSeconds, Math.abs(minutes) * 60);
      installation.fleet.setClock(which, minutes * 60_000);
      return () => installation.fleet.setClock(which, 0);
    },
  };
}

/** It begins at `from` and is over when the last one has been replaced, `to` at the earliest. */
export function brokersReplaced(when: When): Fault {
  return {
    ...when,
    what: 'every broker is replaced by a new one, one after the other',
    strike: (installation) => {
      const replaced = (async () => {
        for (let number = 1; number <= installation.fleet.count; number += 1)
          await installation.fleet.replace(number);
      })();
      // It is looked at when the fault is taken back.
      replaced.catch(() => {});
      return () => replaced;
    },
  };
}

export function provider(what: string, faults: readonly FaultInput[], when: When): Fault {
  return {
    ...when,
    what: `the provider ${what}`,
    strike: ({ csp, providerFaults }) => {
      const change = (act: (fault: FaultInput) => unknown) => () => {
        for (const fault of own) act(fault);
        csp.faults.set([...providerFaults]);
      };
      // Of its own: the same fault may be struck twice at once.
      const own = faults.map((fault) => ({ ...fault }));
      change((fault) => providerFaults.add(fault))();
      return change((fault) => providerFaults.delete(fault));
    },
  };
}

/** Deleted accounts are still listed, for so long. */
export function deletedStillListed(seconds: number, when: When): Fault {
  return {
    ...when,
    what: `the provider lists deleted accounts for ${seconds} s more`,
    strike: ({ csp }) => {
      csp.configure({ linger_seconds: seconds });
      return () => csp.configure({ linger_seconds: 0 });
    },
  };
}

export function databaseStalls(when: When): Fault {
  return {
    ...when,
    what: 'the database stands still (SIGSTOP of the engine)',
    strike: ({ engine }) => {
      engine.process.kill('SIGSTOP');
      return () => engine.process.kill('SIGCONT');
    },
  };
}

export function databaseFails(what: string, rules: readonly FaultRule[], when: When): Fault {
  return {
    ...when,
    what: `the database ${what}`,
    strike: ({ wire }) => {
      const ends = rules.map((rule) => wire.add(rule));
      return () => {
        for (const end of ends) end();
      };
    },
  };
}

/** Nothing is wrong but that the pool is small; at the end the provider has more accounts, and sync finds them. */
export function poolRefilled(count: number, when: When): Fault {
  return {
    ...when,
    what: `the pool has too few sandboxes, and gets ${count} more at the end`,
    strike:
      ({ csp }) =>
      () =>
        csp.accounts.create({ count, namePrefix: 'refill-' }),
  };
}

async function numberOf(which: Which, installation: Installation): Promise<number> {
  if (typeof which === 'number') return which;
  return (await installation.holderOf(which.runs)) ?? 1;
}

function nameOf(which: Which): string {
  return typeof which === 'number' ? `broker ${which}` : `the broker that runs ${which.runs}`;
}
