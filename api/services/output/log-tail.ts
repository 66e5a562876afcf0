// The newest output of one attempt, for all who read it now: lines come over the live stream, and from the log store
// what did not. Reads the store only for readers that wait at its end, so slow ones hold nothing up and cost nothing.
//
//   batch with lines ─► ring ─► readers in step          the record says that the attempt is over
//   batch without, gap ─► store ─┘                          ─► store is read to its end ─► readers are told
//   once a second ─► store, record
//
// Must never leave a line out, and never call an attempt ended before a reading of the store, begun after the record
// said so, has found no more.

import type { Task } from '../../../shared/model/task.ts';
import { isTerminal } from '../../../shared/model/task-states.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { LiveLogs, LogBatch } from '../../../shared/ports/live.ts';
import type { LogStore } from '../../../shared/ports/log-store.ts';
import type { TaskStore } from '../../../shared/ports/task-store.ts';
import type { TaskWatch } from '../task-watch.ts';
import { OutputPage } from './output-page.ts';
import { OutputRing } from './output-ring.ts';
import { PageSize } from './page-size.ts';
import { Patience } from './patience.ts';

export interface TailParts {
  readonly logs: LogStore;
  readonly liveLogs: LiveLogs;
  readonly tasks: Pick<TaskStore, 'get'>;
  readonly watch: TaskWatch;
  readonly clock: Clock;
  readonly log: Log;
}

/** What a hub decides for all of its tails. */
export interface TailBounds {
  /** Text and overhead a ring may hold now. */
  ringChars(): number;
  /** Between two looks into store and record when nothing was heard. */
  lookMs(): number;
}

/** Whether the attempt will have no more output than it has by now. */
export function isOver(task: Task | null, attempt: number): boolean {
  return !task || task.attempt > attempt || isTerminal(task.state);
}

interface Waiter {
  readonly from: number;
  readonly wake: () => void;
}

/** For a reader so far ahead the ring jumps, rather than have all lines in between read for it. */
const JUMP_LINES = 10_000;

export class LogTail {
  readonly #taskId: string;
  readonly #attempt: number;
  readonly #parts: TailParts;
  readonly #bounds: TailBounds;
  readonly #ring: OutputRing;
  readonly #pageSize = new PageSize();
  readonly #logFaults: Patience;
  readonly #recordFaults: Patience;
  readonly #waiters = new Set<Waiter>();
  readonly #unwatch: () => void;
  #live: { readonly after: number; readonly stop: Promise<() => Promise<void>> } | null = null;
  #timer: NodeJS.Timeout | null = null;
  /** The line before the ring is known to be there, so that the ring is not ahead of the output. */
  #isAnchored: boolean;
  /** From here on there was nothing when somebody wanted it. */
  #nothingFrom = Number.POSITIVE_INFINITY;
  /** The store may have more than the ring. */
  #isBehind = true;
  /** Highest number heard of. */
  #announced = 0;
  #isReading = false;
  #isLooking = false;
  #lookAgain = false;
  #over = false;
  #record: Task | null = null;
  #ended = false;
  #fault: unknown = null;
  #closed = false;

  /** `from`: number of the first line its first reader wants. */
  constructor(taskId: string, attempt: number, from: number, parts: TailParts, bounds: TailBounds) {
    this.#taskId = taskId;
    this.#attempt = attempt;
    this.#parts = parts;
    this.#bounds = bounds;
    this.#logFaults = new Patience(parts.clock);
    this.#recordFaults = new Patience(parts.clock);
    this.#ring = new OutputRing(from);
    this.#isAnchored = from === 1;
    if (this.#isAnchored) this.#listen();
    this.#unwatch = parts.watch.on(taskId, () => void this.#look());
    void this.#look();
    this.#tick();
  }

  /** The attempt is over and the ring reaches to its last line. */
  get ended(): boolean {
    return this.#ended;
  }

  /** The record that said that the attempt is over. */
  get record(): Task | null {
    return this.#record;
  }

  /** Closed, or broken by a fault: nothing comes any more. */
  get isDead(): boolean {
    return this.#closed || this.#fault !== null;
  }

  /** What broke it, or null. */
  get fault(): unknown {
    return this.#fault;
  }

  /** Number of the line that is to come. */
  get next(): number {
    return this.#ring.next;
  }

  /** Null when line `from` is not in memory. */
  pageFrom(from: number): OutputPage | null {
    return this.#ring.pageFrom(from);
  }

  /** Resolves when line `from` may be there, when nothing more will come, and on abort. */
  async wait(from: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.#ended || this.isDead) return;
    await new Promise<void>((done) => {
      const waiter: Waiter = {
        from,
        wake: () => {
          signal.removeEventListener('abort', waiter.wake);
          this.#waiters.delete(waiter);
          done();
        },
      };
      this.#waiters.add(waiter);
      signal.addEventListener('abort', waiter.wake);
      void this.#read();
    });
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#unwatch();
    if (this.#timer) clearTimeout(this.#timer);
    this.#unlisten();
    this.#wake(() => true);
  }

  #tick(): void {
    this.#timer = setTimeout(() => {
      if (this.#ended || this.isDead) return;
      void this.#look();
      this.#isBehind = true;
      void this.#read();
      // Those behind the ring look by themselves.
      this.#wake(({ from }) => from < this.#ring.next);
      this.#tick();
    }, this.#bounds.lookMs());
  }

  #listen(): void {
    this.#unlisten();
    const after = this.#ring.next - 1;
    const stop = this.#parts.liveLogs.tail(this.#taskId, this.#attempt, after, (batch) => this.#take(batch));
    stop.catch((error: unknown) => this.#parts.log.warn({ err: error }, 'output comes a little later'));
    this.#live = { after, stop };
  }

  #unlisten(): void {
    this.#live?.stop
      .then((stop) => stop())
      .catch((error: unknown) =>
        this.#parts.log.debug({ err: error }, 'a live stream ends with its connection'),
      );
    this.#live = null;
  }

  #take(batch: LogBatch): void {
    if (this.isDead) return;
    this.#announced = Math.max(this.#announced, batch.lastSeq);
    if (batch.lastSeq < this.#ring.next) return;
    if (batch.lines && batch.firstSeq <= this.#ring.next) {
      this.#push(new OutputPage(this.#attempt, batch.lines));
    } else {
      this.#isBehind = true;
      void this.#read();
    }
  }

  #push(page: OutputPage): void {
    if (!this.#ring.append(page, this.#bounds.ringChars())) return;
    this.#anchor();
    this.#wake(({ from }) => from < this.#ring.next);
  }

  #anchor(): void {
    this.#isAnchored = true;
    if (!this.#live || this.#live.after >= this.#ring.next) this.#listen();
  }

  async #read(): Promise<void> {
    if (this.#isReading) return;
    this.#isReading = true;
    try {
      while (this.#isBehind && this.#isWanted()) {
        await this.#readPage();
        this.#logFaults.forget();
      }
    } catch (error) {
      this.#bear(this.#logFaults, error);
    } finally {
      this.#isReading = false;
    }
  }

  /** Somebody stands at the end of the ring. */
  #isWanted(): boolean {
    if (this.isDead || this.#ended) return false;
    for (const { from } of this.#waiters) if (from >= this.#ring.next) return true;
    return false;
  }

  async #readPage(): Promise<void> {
    const { logs } = this.#parts;
    this.#jump();
    // Taken before the read: what was so by then, this read confirms.
    const over = this.#over;
    const announced = this.#announced;
    const limit = this.#pageSize.lines;
    const { next } = this.#ring;
    const lines = await logs.read(this.#taskId, this.#attempt, next, limit);
    if (this.#closed) return;
    if (lines.length === 0) {
      if (!this.#isAnchored) return this.#findEnd();
      if (over && this.#ring.next === next) return this.#end();
      // What was announced before the read and is not there will not come by asking at once again.
      const knowsAll = this.#announced < this.#ring.next || this.#announced === announced;
      if (!this.#over && knowsAll) this.#isBehind = false;
      return;
    }
    const page = new OutputPage(this.#attempt, lines);
    this.#pageSize.learn(page);
    // A store that lost lines must not stop its readers.
    if (page.firstSeq > this.#ring.next) this.#ring.restart(page.firstSeq);
    this.#push(page);
    if (!this.#over && lines.length < limit && this.#announced < this.#ring.next) this.#isBehind = false;
  }

  /** When all who wait are far ahead. */
  #jump(): void {
    let nearest = this.#nothingFrom;
    for (const { from } of this.#waiters) {
      if (from < this.#ring.next) continue;
      if (from - this.#ring.next <= JUMP_LINES) return;
      nearest = Math.min(nearest, from);
    }
    if (nearest === this.#nothingFrom) return;
    this.#ring.restart(nearest);
    this.#isAnchored = false;
  }

  async #findEnd(): Promise<void> {
    const { next } = this.#ring;
    const { lastSeq } = await this.#parts.logs.position(this.#taskId, this.#attempt);
    if (this.#closed || this.#ring.next !== next) return;
    if (lastSeq + 1 < next) {
      this.#nothingFrom = Math.min(this.#nothingFrom, next);
      this.#ring.restart(lastSeq + 1);
    }
    this.#anchor();
  }

  #end(): void {
    this.#ended = true;
    this.#isBehind = false;
    this.#unlisten();
    this.#wake(() => true);
  }

  async #look(): Promise<void> {
    if (this.#over || this.isDead) return;
    if (this.#isLooking) {
      this.#lookAgain = true;
      return;
    }
    this.#isLooking = true;
    try {
      do {
        this.#lookAgain = false;
        const task = await this.#parts.tasks.get(this.#taskId);
        this.#recordFaults.forget();
        if (!isOver(task, this.#attempt)) continue;
        this.#over = true;
        this.#record = task;
        this.#isBehind = true;
        void this.#read();
      } while (this.#lookAgain && !this.#over);
    } catch (error) {
      this.#bear(this.#recordFaults, error);
    } finally {
      this.#isLooking = false;
    }
  }

  #bear(faults: Patience, error: unknown): void {
    try {
      faults.bear(error);
    } catch {
      this.#fault = error;
      this.#unlisten();
      this.#wake(() => true);
    }
  }

  #wake(which: (waiter: Waiter) => boolean): void {
    for (const waiter of this.#waiters) if (which(waiter)) waiter.wake();
  }
}
