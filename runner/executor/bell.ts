// Wakes whoever waits for a change. A ring while nobody waits is not kept: look first, then wait.

export class Bell {
  #ring: (() => void) | null = null;
  #next: Promise<void> | null = null;

  /** Resolves at the next ring. */
  next(): Promise<void> {
    this.#next ??= new Promise((done) => {
      this.#ring = done;
    });
    return this.#next;
  }

  ring(): void {
    this.#ring?.();
    this.#ring = null;
    this.#next = null;
  }

  /** The next ring, or `ms` later. */
  async nextWithin(ms: number): Promise<void> {
    let timer: NodeJS.Timeout | undefined;
    // A longer timer would fire at once; whoever waits looks again anyway.
    const late = new Promise<void>((done) => {
      timer = setTimeout(done, Math.min(Math.max(ms, 0), 2 ** 31 - 1));
    });
    await Promise.race([this.next(), late]);
    clearTimeout(timer);
  }
}
