// One body cut into parts that the file store keeps one by one, so that what has come is kept even when the rest never
// does. Holds one chunk.

import type { Hash } from 'node:crypto';
import { Readable } from 'node:stream';

export interface PartRule {
  /** The part has no more bytes than that. */
  readonly maxBytes: number;
  /** Asked after each chunk: whether the part has been open for long enough. */
  readonly isDue: () => boolean;
  /** Bytes before the body breaks off are kept as a shorter part; otherwise that part fails with it. */
  readonly keepBroken: boolean;
  /** Gets all that goes into the part. */
  readonly hash?: Hash | undefined;
}

export class PartCutter {
  /** What the body failed with, once it has. */
  broken: { readonly cause: unknown } | null = null;
  /** Grows as bytes come; for seeing whether the sender lives. */
  bytesSeen = 0;
  readonly #content: Readable;
  readonly #chunks: AsyncIterator<Buffer>;
  #rest: Buffer | null = null;

  constructor(content: Readable) {
    this.#content = content;
    // It may fail before anybody reads from it, which without a listener ends the process.
    content.on('error', () => undefined);
    this.#chunks = content[Symbol.asyncIterator]();
  }

  /** Whether there are bytes left; waits until that is known. */
  async more(): Promise<boolean> {
    while (this.#rest === null && this.broken === null) {
      try {
        const { done, value } = await this.#chunks.next();
        if (done) return false;
        this.bytesSeen += value.length;
        if (value.length > 0) this.#rest = value;
      } catch (cause) {
        this.broken = { cause };
      }
    }
    return this.#rest !== null;
  }

  /** The next part. It must be read to its end, or be destroyed, before anything else is asked for. */
  part(rule: PartRule): Readable {
    return Readable.from(this.#take(rule), { objectMode: false });
  }

  /** As if the body broke off here. */
  stop(cause: Error): void {
    this.#content.destroy(cause);
  }

  /** Whoever still sends learns why from the answer. */
  close(): void {
    this.#content.destroy();
  }

  async *#take({ maxBytes, isDue, keepBroken, hash }: PartRule): AsyncGenerator<Buffer> {
    for (let left = maxBytes; left > 0; ) {
      const there = await this.more();
      if (this.broken !== null && !keepBroken) throw this.broken.cause;
      if (!there || this.#rest === null) return;
      const bytes = this.#rest.subarray(0, left);
      this.#rest = bytes.length < this.#rest.length ? this.#rest.subarray(bytes.length) : null;
      left -= bytes.length;
      hash?.update(bytes);
      yield bytes;
      if (isDue()) return;
    }
  }
}
