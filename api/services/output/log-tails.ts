// The tails of all attempts that are read now: one for each, shared by its readers, closed a moment after the last of
// them. What all rings hold together is bounded, however many there are.

import { AppError } from '../../../shared/errors.ts';
import type { Task } from '../../../shared/model/task.ts';
import { LogTail, type TailParts } from './log-tail.ts';
import type { OutputPage } from './output-page.ts';
import { OutputReader, type ReaderParts } from './output-reader.ts';

/** Output of one attempt for one reader, at its own pace. */
export interface TailReader {
  /**
   * Lines from number `from` on; waits until there are some. Null when the attempt is over and has no such line, and
   * when the signal was aborted.
   * @throws AppError when the log store or the record stays away for too long
   */
  next(from: number, signal: AbortSignal): Promise<OutputPage | null>;
  /** Once the attempt is over, the record that said so; null in it for a task that is gone. */
  readonly over: { readonly record: Task | null } | null;
  /** Must be called once the reader is done. */
  release(): void;
}

interface Entry {
  readonly key: string;
  readonly tail: LogTail;
  readers: number;
  linger: NodeJS.Timeout | null;
}

const MAX_TAILS = 5_000;
/** Text and overhead of all rings together, and of one. */
const ALL_RINGS_CHARS = 32 * 2 ** 20;
const RING_CHARS = 2 ** 20;
const LEAST_RING_CHARS = 2 ** 16;
/** How long a tail outlives its last reader: one that reconnects finds it. */
const LINGER_MS = 5_000;
const LOOK_MS = 1_000;
/** Tails beyond so many look less often, so that quiet ones cost the store no more than this many would. */
const TAILS_AT_FULL_PACE = 500;

export class LogTails {
  readonly #parts: TailParts & ReaderParts;
  readonly #lingerMs: number;
  readonly #entries = new Map<string, Entry>();
  #closed = false;

  constructor(parts: TailParts & ReaderParts, { lingerMs = LINGER_MS }: { lingerMs?: number } = {}) {
    this.#parts = parts;
    this.#lingerMs = lingerMs;
  }

  /**
   * `from`: the line this reader begins with, in its first `next`. `pageChars`: as for a reader of the store.
   * @throws AppError `rate_limited` when too many attempts are read
   */
  open(taskId: string, attempt: number, from = 1, pageChars?: number): TailReader {
    const entry = this.#enter(taskId, attempt, from);
    const store = new OutputReader(taskId, attempt, this.#parts, pageChars);
    return new Reader(entry.tail, store, () => this.#leave(entry));
  }

  /** Readers get null. */
  close(): void {
    this.#closed = true;
    for (const entry of [...this.#entries.values()]) this.#remove(entry);
  }

  #enter(taskId: string, attempt: number, from: number): Entry {
    const key = `${taskId}/${attempt}`;
    let entry = this.#entries.get(key);
    // Whoever comes after a fault begins anew; those it befell keep what they have.
    if (entry?.tail.isDead) this.#remove(entry);
    if (!entry || entry.tail.isDead) {
      this.#makeRoom();
      const bounds = { ringChars: () => this.#ringChars(), lookMs: () => this.#lookMs() };
      const tail = new LogTail(taskId, attempt, from, this.#parts, bounds);
      if (this.#closed) tail.close();
      entry = { key, tail, readers: 0, linger: null };
      this.#entries.set(key, entry);
    }
    if (entry.linger) clearTimeout(entry.linger);
    entry.linger = null;
    entry.readers += 1;
    return entry;
  }

  #leave(entry: Entry): void {
    entry.readers -= 1;
    if (entry.readers > 0) return;
    if (entry.tail.isDead) this.#remove(entry);
    else entry.linger = setTimeout(() => this.#remove(entry), this.#lingerMs);
  }

  #remove(entry: Entry): void {
    if (entry.linger) clearTimeout(entry.linger);
    if (this.#entries.get(entry.key) === entry) this.#entries.delete(entry.key);
    entry.tail.close();
  }

  #makeRoom(): void {
    if (this.#entries.size < MAX_TAILS) return;
    for (const entry of this.#entries.values()) {
      if (entry.readers > 0) continue;
      this.#remove(entry);
      return;
    }
    throw new AppError('rate_limited', 'the output of too many tasks is followed here: try again later', {
      retryable: true,
      retryAfterSeconds: 10,
    });
  }

  #ringChars(): number {
    const fair = Math.floor(ALL_RINGS_CHARS / Math.max(1, this.#entries.size));
    return Math.min(RING_CHARS, Math.max(LEAST_RING_CHARS, fair));
  }

  #lookMs(): number {
    return LOOK_MS * Math.max(1, this.#entries.size / TAILS_AT_FULL_PACE);
  }
}

class Reader implements TailReader {
  readonly #tail: LogTail;
  readonly #store: OutputReader;
  #leave: (() => void) | null;

  constructor(tail: LogTail, store: OutputReader, leave: () => void) {
    this.#tail = tail;
    this.#store = store;
    this.#leave = leave;
  }

  get over(): { readonly record: Task | null } | null {
    return this.#tail.ended ? { record: this.#tail.record } : null;
  }

  async next(from: number, signal: AbortSignal): Promise<OutputPage | null> {
    const tail = this.#tail;
    for (;;) {
      if (signal.aborted) return null;
      const page = tail.pageFrom(from) ?? (from < tail.next ? await this.#store.next(from, signal) : null);
      if (page) return page;
      if (tail.fault !== null) throw tail.fault;
      if (tail.ended || tail.isDead) return null;
      await tail.wait(from, signal);
    }
  }

  release(): void {
    this.#leave?.();
    this.#leave = null;
  }
}
