// A few writes at a time: a store that makes each file safe on its own is mostly waited for.

export class WritePool {
  readonly #most: number;
  readonly #going = new Set<Promise<void>>();
  #fault: { readonly error: unknown } | null = null;

  constructor(most: number) {
    this.#most = most;
  }

  /** Begins the write once there is room. Throws what an earlier one failed with. */
  async add(write: () => Promise<void>): Promise<void> {
    while (this.#going.size >= this.#most) await Promise.race(this.#going);
    this.#check();
    const going = write()
      .catch((error) => {
        this.#fault ??= { error };
      })
      .finally(() => this.#going.delete(going));
    this.#going.add(going);
  }

  /** Resolves when nothing is under way any more. Throws what a write failed with. */
  async idle(): Promise<void> {
    await this.settled();
    this.#check();
  }

  /** As `idle`, without a word of faults. */
  async settled(): Promise<void> {
    while (this.#going.size > 0) await Promise.all(this.#going);
  }

  #check(): void {
    if (this.#fault) throw this.#fault.error;
  }
}
