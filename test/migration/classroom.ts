import { setTimeout as sleep } from 'node:timers/promises';
import { type Server, Student } from './student.ts';

/** Which broker a student meets now. */
export type Route = (student: Student) => Server;

/**
 * New students in one phase at most, so that all phases together leave some of a pool of a thousand: nothing is deleted
 * and made anew meanwhile, and on a busy machine an operator's commands take long.
 */
const ADMITTED_IN_A_PHASE = 80;
/** And at least, however slow the machine is. */
const COME_IN_A_PHASE = 20;

/** Students who come and go without a pause, as many at once as there are seats, while the brokers change. */
export class Classroom {
  /** Who has had which sandbox. */
  readonly owners = new Map<string, string>();
  /** Those who stay to the end with what they hold. */
  readonly staying: Student[] = [];
  /** Requests that were answered. */
  requests = 0;
  #route: Route;
  #open = true;
  #seats: Promise<void>[] = [];
  #number = 0;
  #admitted = 0;

  constructor(route: Route) {
    this.#route = route;
  }

  /** From now on, for everybody. */
  switchTo(route: Route): void {
    this.#route = route;
  }

  openSeats(count: number): void {
    this.#seats = Array.from({ length: count }, async () => {
      while (this.#open) await this.#visit();
    });
    // Heard of in close(), not as nobody's.
    for (const seat of this.#seats) seat.catch(() => {});
  }

  /** Lets the lessons go on, with new students, and hears at once of a seat whose student was not served right. */
  async goOn(milliseconds: number): Promise<void> {
    this.#admitted = this.#number + ADMITTED_IN_A_PHASE;
    const enough = this.#number + COME_IN_A_PHASE;
    const phase = async () => {
      await sleep(milliseconds);
      while (this.#number < enough) await sleep(20);
    };
    await Promise.race([phase(), Promise.all(this.#seats)]);
  }

  /** Nobody new comes; those who are here finish. */
  async close(): Promise<void> {
    this.#open = false;
    await Promise.all(this.#seats);
  }

  /** Asks again for all who stay: what they hold must be what they get. */
  async askAgain(): Promise<void> {
    await Promise.all(this.staying.map((student) => this.#request((server) => student.ask(server), student)));
  }

  async #visit(): Promise<void> {
    const number = this.#number++;
    const student = new Student(
      `student-${number}`,
      number % 4 === 0 ? `play-${number}` : undefined,
      this.owners,
    );
    // A client that retries meets the broker that it met; later requests may meet another one.
    await this.#request((server) => student.ask(server, 1 + (number % 3)), student);
    // Where nobody else may come, whoever sits here stays, and asks again.
    for (let count = 0; count < number % 4 || this.#isFull(); count += 1) {
      await student.pause();
      await this.#request((server) => student.ask(server), student);
    }
    await student.pause();
    if (number % 8 === 0) this.staying.push(student);
    else await this.#request((server) => student.leave(server), student);
  }

  #isFull(): boolean {
    return this.#open && this.#number >= this.#admitted;
  }

  async #request(work: (server: Server) => Promise<void>, student: Student): Promise<void> {
    await work(this.#route(student));
    this.requests += 1;
  }
}
