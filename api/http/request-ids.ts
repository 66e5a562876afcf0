// Ids of what is asked of this process, whichever way it comes in: the caller's own if it is harmless, else one of ours.

import { randomBytes } from 'node:crypto';

const FORM = /^[\w.-]{1,64}$/;

/** An id that a caller, or a proxy in front, gave is kept if it is harmless; null: it is not. */
export function givenId(text: unknown): string | null {
  return typeof text === 'string' && FORM.test(text) ? text : null;
}

export class RequestIds {
  readonly #prefix: string;
  // One random part for this process and a number: a fresh random id for each request would cost a system call.
  readonly #lifeId = randomBytes(6).toString('hex');
  #count = 0;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  next(): string {
    this.#count += 1;
    return `${this.#prefix}-${this.#lifeId}-${this.#count.toString(36)}`;
  }
}
