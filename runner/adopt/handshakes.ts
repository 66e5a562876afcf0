// Handshakes between hello and settings: each is good once and for a short while, and there are never many.

import type { KeyShare, Transcript } from '../../shared/platform/adoption-proof.ts';

/** The other side needs a moment for one proof; the rest is for slow networks. */
export const HANDSHAKE_MS = 30_000;
/** A flood drops the oldest, not the newest: who holds the token goes on at once, before so many others have come. */
export const MOST_HANDSHAKES = 64;

export interface Handshake {
  readonly mine: KeyShare;
  readonly transcript: Transcript;
}

export class Handshakes {
  readonly #nowMs: () => number;
  /** By the nonce of this side, oldest first. */
  readonly #open = new Map<string, { readonly handshake: Handshake; readonly endsAtMs: number }>();

  /** @param nowMs monotonic */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  get size(): number {
    return this.#open.size;
  }

  open(handshake: Handshake): void {
    const nowMs = this.#nowMs();
    for (const [nonce, { endsAtMs }] of this.#open) {
      if (endsAtMs > nowMs && this.#open.size < MOST_HANDSHAKES) break;
      this.#open.delete(nonce);
    }
    this.#open.set(handshake.mine.nonce, { handshake, endsAtMs: nowMs + HANDSHAKE_MS });
  }

  /** The one that goes on with this nonce, or null when there is none any more. It cannot be taken again. */
  take(nonce: string): Handshake | null {
    const found = this.#open.get(nonce);
    this.#open.delete(nonce);
    return found && found.endsAtMs > this.#nowMs() ? found.handshake : null;
  }
}
