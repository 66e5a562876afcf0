// The output of one task on its way to one socket: line after line from where the client asked, through the attempts
// that follow if it wants them, at the pace the client reads. Pulls a page only when the last one has room to go out,
// so nothing piles up here, and a client that lags simply reads from the log store until it is in step again.

import type { SubscribeRequest } from '../../shared/contracts/live.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { OutputReading, TaskOutput } from '../services/output/task-output.ts';
import type { TaskRecords } from '../services/task-records.ts';
import { type LiveSocket, refusalOf } from './live-server.ts';
import type { LogBroadcast, Recipient } from './log-broadcast.ts';
import { MAX_PIECE_CHARS } from './log-pieces.ts';
import type { Outbox } from './outbox.ts';

/** Held while a client takes its pieces. */
const PAGE_CHARS = 2 * MAX_PIECE_CHARS;

export interface FeedParts {
  readonly output: Pick<TaskOutput, 'open'>;
  readonly records: Pick<TaskRecords, 'get'>;
  readonly broadcast: LogBroadcast;
  readonly log: Log;
}

export interface FeedAsk {
  readonly by: Principal;
  readonly taskId: string;
  readonly logs: NonNullable<SubscribeRequest['logs']>;
  /** The task's attempt now. */
  readonly currentAttempt: number;
}

export class LogFeed implements Recipient {
  readonly socketId: string;
  readonly #parts: FeedParts;
  readonly #ask: FeedAsk;
  readonly #socket: LiveSocket;
  readonly #outbox: Outbox;
  #attempt: number;
  #reading: { readonly pages: OutputReading; readonly end: AbortController } | null = null;
  #stopped = false;

  constructor(parts: FeedParts, ask: FeedAsk, socket: LiveSocket, outbox: Outbox) {
    this.#parts = parts;
    this.#ask = ask;
    this.#socket = socket;
    this.#outbox = outbox;
    this.socketId = socket.id;
    this.#attempt = ask.logs.after?.attempt ?? ask.logs.attempt ?? ask.currentAttempt;
  }

  get isOpen(): boolean {
    return !this.#stopped;
  }

  /** @throws AppError `not_found` for an attempt that is not there; `rate_limited` */
  async open(): Promise<void> {
    const { from, tail, after } = this.#ask.logs;
    await this.#open(after ? { from: after.seq + 1 } : { from, tail });
  }

  /** To be called once, after `open`. Ends by itself, and tells the client how. */
  start(): void {
    this.#run().catch((error: unknown) => {
      if (this.#stopped) return;
      this.stop();
      this.#parts.log.warn({ err: error, taskId: this.#ask.taskId }, 'output cut off');
      this.#socket.emit('task:log-fault', { task_id: this.#ask.taskId, ...refusalOf(error) });
    });
  }

  stop(): void {
    this.#stopped = true;
    this.#close();
  }

  async #run(): Promise<void> {
    for (;;) {
      if (!(await this.#give())) return;
      if (this.#ask.logs.attempt !== undefined) break;
      const { by, taskId } = this.#ask;
      const task = await this.#parts.records.get(by, taskId);
      if (this.#stopped) return;
      if (task.attempt <= this.#attempt) break;
      this.#attempt += 1;
      await this.#open({});
    }
    this.stop();
    this.#socket.emit('task:log-end', { task_id: this.#ask.taskId, attempt: this.#attempt });
  }

  /** True when all lines of the attempt have been given, false when the feed was stopped. */
  async #give(): Promise<boolean> {
    const { broadcast } = this.#parts;
    for (;;) {
      const step = await this.#reading?.pages.next();
      if (!step || this.#stopped) return false;
      if (step.done) return step.value.complete;
      for (const piece of broadcast.piecesOf(this.#ask.taskId, step.value)) {
        if (!(await this.#outbox.admit(piece.chars))) return false;
        if (this.isOpen) await broadcast.send(piece, this);
        this.#outbox.release(piece.chars);
        if (!this.isOpen) return false;
      }
    }
  }

  async #open(start: { from?: number | undefined; tail?: number | undefined }): Promise<void> {
    this.#close();
    const { by, taskId } = this.#ask;
    const end = new AbortController();
    const query = {
      ...start,
      attempt: this.#attempt,
      follow: true,
      pageChars: PAGE_CHARS,
      signal: end.signal,
    };
    try {
      const pages = await this.#parts.output.open(by, taskId, query);
      this.#reading = { pages, end };
    } catch (error) {
      end.abort();
      throw error;
    }
    if (this.#stopped) this.#close();
  }

  #close(): void {
    const reading = this.#reading;
    this.#reading = null;
    reading?.end.abort();
    // One that waits is woken by the signal; one that does not is to let go of what it holds, too.
    reading?.pages.return({ attempt: this.#attempt, complete: false }).catch(() => undefined);
  }
}
