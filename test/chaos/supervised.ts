// One process of the system under test, started again after each fault as a supervisor would. It notes when the process
// ended although nobody made it.

import { setTimeout as delay } from 'node:timers/promises';
import type { Part } from '../support/cluster.ts';

const RESTART_MS = 500;

export class Supervised {
  readonly name: string;
  /** In words: ends that no fault of the run asked for. */
  readonly unexpectedEnds: string[] = [];
  readonly #part: Part;
  /** It is to run. */
  #isWanted = false;

  constructor(name: string, part: Part) {
    this.name = name;
    this.#part = part;
    part.onOwnEnd = (how) => void this.#ended(how);
    part.onForcedEnd = () =>
      this.unexpectedEnds.push(`${this.name} had to be killed: it did not stop in time`);
  }

  start(): void {
    this.#isWanted = true;
    this.#part.start();
  }

  /** It stays down until `start`. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    this.#isWanted = false;
    await this.#part.end(signal);
  }

  freeze(): void {
    this.#part.freeze();
  }

  thaw(): void {
    this.#part.thaw();
  }

  async #ended(how: string): Promise<void> {
    if (!this.#isWanted) return;
    this.unexpectedEnds.push(`${this.name} ended by itself with ${how}`);
    await delay(RESTART_MS);
    if (this.#isWanted && !this.#part.isRunning) this.#part.start();
  }
}
