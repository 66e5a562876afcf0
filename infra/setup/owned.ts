// What a run has started and must stop again: last first, whatever happens to the others.

import { messageOf } from '../../shared/errors.ts';

/** May say what it did, when that is worth a line. */
export type Stop = () => Promise<unknown>;

export class Owned {
  readonly #stops: { name: string; stop: Stop }[] = [];
  readonly #say: (line: string) => void;

  constructor(say: (line: string) => void) {
    this.#say = say;
  }

  get isEmpty(): boolean {
    return this.#stops.length === 0;
  }

  add(name: string, stop: Stop): void {
    this.#stops.push({ name, stop });
  }

  /** False when something could not be stopped. May be called again: everything is stopped once. */
  async stopAll(): Promise<boolean> {
    let well = true;
    for (let one = this.#stops.pop(); one; one = this.#stops.pop()) {
      try {
        const said = await one.stop();
        if (typeof said === 'string') this.#say(said);
      } catch (error) {
        well = false;
        this.#say(`${one.name} could not be stopped: ${messageOf(error)}`);
      }
    }
    return well;
  }
}
