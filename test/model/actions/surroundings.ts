import type { World } from '../world.ts';
import { Around } from './action.ts';

/** Time passes, for all brokers alike. */
export function clockStep(seconds: number): Around {
  return new Around(`${seconds} seconds pass`, (world) => world.time.advance(seconds * 1000));
}

/** The wall clock of one broker's machine is corrected. */
export function clockCorrection(broker: number, seconds: number): Around {
  return new Around(`the clock of broker ${broker} is corrected by ${seconds} seconds`, (world) => {
    world.brokers[world.indexOf(broker)]?.clock.correct(seconds * 1000);
  });
}

export function providerAdds(count: number, namePrefix: string): Around {
  return new Around(`the provider creates ${count} accounts named ${namePrefix}*`, ({ simulator }) => {
    simulator.accounts.create({ count, namePrefix });
  });
}

/** An account is gone, or has only vanished from the listing: no broker can tell. */
export function providerWithdraws(number: number): Around {
  return new Around(`the provider withdraws account #${number}`, (world) => {
    const account = pick(world.simulator.accounts.all(), number);
    if (account === undefined) return;
    world.withdrawn.set(account.id, account);
    world.simulator.accounts.remove(account.id);
  });
}

export function providerListsAgain(number: number): Around {
  return new Around(`the provider lists withdrawn account #${number} again`, (world) => {
    const account = pick([...world.withdrawn.values()], number);
    if (account === undefined) return;
    world.withdrawn.delete(account.id);
    world.simulator.accounts.add([account]);
  });
}

export function providerRenames(number: number): Around {
  return new Around(`the provider renames account #${number}`, (world: World) => {
    const account = pick(world.simulator.accounts.all(), number);
    if (account === undefined) return;
    world.simulator.accounts.remove(account.id);
    world.simulator.accounts.add([{ ...account, name: `${account.name}-renamed` }]);
  });
}

/** Deleted accounts stay in the listing for a while. */
export function deletedAccountsLinger(listings: number): Around {
  return new Around(`deleted accounts stay in the next ${listings} listings`, ({ simulator }) => {
    simulator.configure({ linger_listings: listings });
  });
}

function pick<Item>(items: readonly Item[], number: number): Item | undefined {
  return items[number % Math.max(1, items.length)];
}
