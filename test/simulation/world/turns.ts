const setImmediateOfNode = globalThis.setImmediate;

/** Whoever does something in the simulation: a broker's process, a client, an operator. */
export interface Actor {
  readonly name: string;
  /** What a dead one had planned is never done. */
  readonly alive: boolean;
}

interface Immediate {
  readonly actor: Actor;
  readonly callback: () => void;
}

/**
 * Turns of an event loop, made on Node's own: a turn is one delivery and everything that promises make of it.
 *
 * `setImmediate` is where the broker lets a turn end. While a simulation runs it is this loop's, so that the order is
 * ours and a crashed process's turns never come.
 */
export class Turns {
  /** Whose turn it is. */
  #current: Actor | undefined;
  readonly #immediates: Immediate[] = [];

  /**
   * @param deliver makes the next delivery, or says that there is none; told whether turns are waiting to go on, which
   *   it may let wait while something else arrives at the same moment
   */
  run(deliver: (waiting: Actor | undefined) => Delivery): Promise<void> {
    return new Promise((resolve, reject) => {
      const ours = (callback: (...args: unknown[]) => void, ...args: unknown[]) => {
        if (this.#current === undefined) return setImmediateOfNode(callback, ...args);
        this.#immediates.push({ actor: this.#current, callback: () => callback(...args) });
        return undefined;
      };
      globalThis.setImmediate = ours as unknown as typeof setImmediate;
      const end = (settle: () => void) => {
        this.#current = undefined;
        globalThis.setImmediate = setImmediateOfNode;
        settle();
      };
      const turn = () => {
        try {
          if (this.#next(deliver)) setImmediateOfNode(turn);
          else end(resolve);
        } catch (error) {
          end(() => reject(error));
        }
      };
      setImmediateOfNode(turn);
    });
  }

  /** @returns false at the end */
  #next(deliver: (waiting: Actor | undefined) => Delivery): boolean {
    while (this.#immediates[0]?.actor.alive === false) this.#immediates.shift();
    const delivery = deliver(this.#immediates[0]?.actor);
    if (delivery === 'end') return false;
    if (delivery === 'wait') {
      const { actor, callback } = this.#immediates.shift() as Immediate;
      this.#current = actor;
      callback();
      return true;
    }
    this.#current = delivery.actor;
    delivery.run();
    return true;
  }
}

/** `wait`: first what a process left for the end of its turn. */
export type Delivery = 'end' | 'wait' | { readonly actor: Actor; readonly run: () => void };
