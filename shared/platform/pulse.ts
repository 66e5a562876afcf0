// Work that is done now and then, never twice at once, and sooner when it is asked for. A fault is told and the next
// round tries again.

export interface PulseParts {
  readonly everyMs: number;
  readonly work: () => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

export class Pulse {
  readonly #parts: PulseParts;
  #timer: NodeJS.Timeout | undefined;
  #round: Promise<void> | null = null;
  #again = false;
  #on = false;

  constructor(parts: PulseParts) {
    this.#parts = parts;
  }

  /** The first round begins at once. */
  start(): void {
    this.#on = true;
    this.wake();
  }

  /** A round begins now, or right after the one that is running: that one may have looked already. */
  wake(): void {
    if (!this.#on) return;
    if (this.#round) this.#again = true;
    else this.#round = this.#run();
  }

  /** No further round; resolves when the running one is over. */
  async stop(): Promise<void> {
    this.#on = false;
    clearTimeout(this.#timer);
    await this.#round;
  }

  async #run(): Promise<void> {
    clearTimeout(this.#timer);
    do {
      this.#again = false;
      await this.#parts.work().catch(this.#parts.onFault);
    } while (this.#again && this.#on);
    this.#round = null;
    if (this.#on) this.#timer = setTimeout(() => this.wake(), this.#parts.everyMs);
  }
}
