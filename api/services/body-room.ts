// How much of large bodies may be held at once, of one user and of all: a body is in memory as a whole while it is
// parsed and worked in. Taken by what is announced, before the first byte is read.

import { AppError } from '../../shared/errors.ts';

const MB = 2 ** 20;
/** Two of the largest batches. */
const MAX_OF_ONE_BYTES = 40 * MB;
/** Parsed, a body takes several times its size. */
const MAX_IN_ALL_BYTES = 160 * MB;

export interface BodyRoomLimits {
  readonly ofOneBytes: number;
  readonly inAllBytes: number;
}

export class BodyRoom {
  readonly #limits: BodyRoomLimits;
  readonly #held = new Map<string, number>();
  #all = 0;

  constructor(limits: BodyRoomLimits = { ofOneBytes: MAX_OF_ONE_BYTES, inAllBytes: MAX_IN_ALL_BYTES }) {
    this.#limits = limits;
  }

  /** Bytes held now, of all. */
  get heldBytes(): number {
    return this.#all;
  }

  /** @returns gives it back; may be called again. @throws AppError `rate_limited` */
  take(userId: string, bytes: number): () => void {
    const held = this.#held.get(userId) ?? 0;
    // A single one is always let in, whatever its size: its route has a limit of its own.
    if (held > 0 && held + bytes > this.#limits.ofOneBytes) {
      throw full('your requests under way are too large together');
    }
    if (this.#all > 0 && this.#all + bytes > this.#limits.inAllBytes) {
      throw full('requests under way here are too large together');
    }
    this.#held.set(userId, held + bytes);
    this.#all += bytes;
    let given = false;
    return () => {
      if (given) return;
      given = true;
      const left = (this.#held.get(userId) ?? bytes) - bytes;
      if (left > 0) this.#held.set(userId, left);
      else this.#held.delete(userId);
      this.#all -= bytes;
    };
  }
}

function full(what: string): AppError {
  const message = `${what}: wait for answers before you send more`;
  return new AppError('rate_limited', message, {
    retryable: true,
    retryAfterSeconds: 1,
    details: [{ field: 'requests', message }],
  });
}
