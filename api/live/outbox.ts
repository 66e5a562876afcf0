// What is on its way to one socket and not yet in the hands of the system: counted to the byte, and bounded. Output
// asks for its turn here, so a client that reads slowly slows down only its own reading. All else is sent without
// asking, and a client that does not even take that is given up: it may come back and go on where it was.

import type { EventEmitter } from 'node:events';

/**
 * The part of an engine.io socket that this needs. Of its events, both documented, `packetCreate` comes before each
 * packet, and `drain` when what was handed to the transport has been written and what waited is handed to it.
 */
export interface Connection extends Pick<EventEmitter, 'on' | 'off'> {
  readonly transport: { readonly writable: boolean };
}

/** Output that may be unsent before its readers have to wait, characters. */
export const HIGH_MARK = 128 * 1_024;
/** Of all that waits for a client that reads nothing. */
const MAX_WAITING_CHARS = 4 * 2 ** 20;
const MAX_WAITING_PACKETS = 2_000;

interface Turn {
  readonly chars: number;
  readonly take: (admitted: boolean) => void;
}

export class Outbox {
  readonly #connection: Connection;
  readonly #onOverflow: () => void;
  readonly #turns: Turn[] = [];
  /** Admitted and not yet emitted. */
  #promised = 0;
  /** Emitted while the transport was busy. */
  #waiting = 0;
  #waitingPackets = 0;
  /** Given to the transport in one go; written when the transport is writable again. */
  #handed = 0;
  #closed = false;

  /** @param onOverflow called at most once, when the client does not take what is sent without asking */
  constructor(connection: Connection, onOverflow: () => void) {
    this.#connection = connection;
    this.#onOverflow = onOverflow;
    connection.on('packetCreate', this.#onPacket);
    connection.on('drain', this.#onDrain);
  }

  get unsent(): number {
    const handed = this.#connection.transport.writable ? 0 : this.#handed;
    return this.#promised + this.#waiting + handed;
  }

  /**
   * Waits for room for so many characters, first come, first served. True: emit them, or do not, and then `release`
   * them. False: the socket is gone.
   */
  admit(chars: number): boolean | Promise<boolean> {
    if (this.#closed) return false;
    if (this.#turns.length === 0 && this.#hasRoom()) {
      this.#promised += chars;
      return true;
    }
    return new Promise((take) => this.#turns.push({ chars, take }));
  }

  /** What was admitted has been emitted, and is counted by its packet from there on; or is not going to be. */
  release(chars: number): void {
    this.#promised -= chars;
    this.#next();
  }

  close(): void {
    this.#closed = true;
    this.#connection.off('packetCreate', this.#onPacket);
    this.#connection.off('drain', this.#onDrain);
    for (const { take } of this.#turns.splice(0)) take(false);
  }

  /** While something waits there is always a `drain` to come, so one turn is given even above the mark. */
  #hasRoom(): boolean {
    return this.unsent < HIGH_MARK || this.#promised + this.#waiting === 0;
  }

  #next(): void {
    while (this.#turns.length > 0 && this.#hasRoom()) {
      const turn = this.#turns.shift();
      if (!turn) return;
      this.#promised += turn.chars;
      turn.take(true);
    }
  }

  readonly #onPacket = ({ data }: { data?: unknown }): void => {
    this.#waiting += typeof data === 'string' ? data.length : 0;
    this.#waitingPackets += 1;
    if (this.#waiting <= MAX_WAITING_CHARS && this.#waitingPackets <= MAX_WAITING_PACKETS) return;
    if (this.#closed) return;
    this.close();
    this.#onOverflow();
  };

  readonly #onDrain = (): void => {
    this.#handed = this.#waiting;
    this.#waiting = 0;
    this.#waitingPackets = 0;
    this.#next();
  };
}
