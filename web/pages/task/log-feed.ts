// A task's output for as long as its element is on the page: the newest as it comes, older or later parts when somebody
// scrolls to them. Holds a bounded number of lines: a chatty task must not fill the browser's memory.
//
//   tail ─► holds the end, lines are pushed ("live")       a line of long ago ─► holds what is around it
//     ▲         │ the reader is far up, or reads back far       │ scrolled down: page after page
//     └─────────┴── "to the end" ◄── holds a stretch ◄──────────┘   until the newest line is reached ─► live

import type { ReactiveControllerHost } from 'lit';
import type { TaskBody } from '../../../shared/contracts/http.ts';
import type { SocketRefusal, TaskLogEvent, TaskPartialEvent } from '../../../shared/contracts/live.ts';
import type { LogLineBody } from '../../../shared/contracts/log-lines.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';
import type { Session } from '../../data/session.ts';
import { isBefore, LogLines, type Place } from './log-lines.ts';
import { readPage } from './log-page.ts';

/** What is held in the browser at most. */
const KEPT_LINES = 100_000;
/** Held beyond that before the oldest are let go, in one go: one at a time would cost a copy for each line. */
const SLACK_LINES = 5_000;
const TAIL_LINES = 5_000;
const PAGE_LINES = 2_000;
/** With so many, drawings are so far apart. */
const MANY_LINES = 10_000;
const MANY_PAUSE_MS = 80;
/** Before a line that is jumped to. */
const AROUND_LINES = 500;

export interface FeedAsk {
  readonly session: Session;
  readonly taskId: string;
  /** Null: all of them. */
  readonly attempt: number | null;
  /** Where to begin; null at the end. */
  readonly line: number | null;
}

export type FeedState = 'idle' | 'following' | 'ended' | 'failed';

export class LogFeed {
  readonly lines = new LogLines();
  /** The line being written, after the last whole one. */
  partial: { readonly stream: 'stdout' | 'stderr'; readonly text: string } | null = null;
  state: FeedState = 'idle';
  /** Why nothing comes, or why a part could not be read. */
  error: Error | null = null;
  /** The record, as of the last change. */
  task: TaskBody | null = null;
  /** The last line is the newest there is: what comes is appended. */
  isLive = false;
  /** A part is being read: before the first line, after the last one, or around a line. */
  reading: 'before' | 'after' | 'around' | null = null;
  /** Lines that came while the page was open. */
  heard = 0;
  /** Index of the first line that is on the screen: it is not let go. Set by the view. */
  readingAt = 0;
  /** Null while the view is at the end. */
  isPaused = false;
  readonly #host: ReactiveControllerHost;
  readonly #ask: () => FeedAsk;
  readonly #subscription: LiveSubscription;
  #newest: Place | null = null;
  /** Those before it printed nothing. */
  #firstAttempt = 1;
  #frame = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #reader = new AbortController();

  constructor(host: ReactiveControllerHost, ask: () => FeedAsk) {
    this.#host = host;
    this.#ask = ask;
    this.#subscription = new LiveSubscription(host, () => this.#begin(ask()));
  }

  /** Begins anew, as is asked now. */
  restart(): void {
    this.#subscription.restart();
  }

  /** Whether there is something before the first line. */
  get hasBefore(): boolean {
    const { first } = this.lines;
    if (!first) return false;
    return first.seq > 1 || (this.#ask().attempt === null && first.attempt > this.#firstAttempt);
  }

  get hasAfter(): boolean {
    const { last } = this.lines;
    return !this.isLive && last !== undefined && this.#newest !== null && isBefore(last, this.#newest);
  }

  /** Reads what comes before the first line. */
  async readBefore(): Promise<void> {
    const { first } = this.lines;
    if (this.reading || !first || !this.hasBefore) return;
    await this.#read('before', async (source, signal) => {
      let { attempt } = first;
      let page: LogLineBody[] = [];
      if (first.seq > 1) {
        const from = Math.max(1, first.seq - PAGE_LINES);
        page = await readPage(source, { attempt, from }, first.seq - from, signal);
      } else {
        // An attempt without output is passed over.
        while (page.length === 0 && attempt > 1) {
          attempt -= 1;
          page = await readPage(source, { attempt, tail: PAGE_LINES }, PAGE_LINES, signal);
        }
        if (page.length === 0) this.#firstAttempt = first.attempt;
      }
      if (page.length > 0) this.lines.prepend(attempt, page);
      const over = this.lines.all.length - KEPT_LINES - SLACK_LINES;
      if (over <= 0) return;
      this.lines.dropLast(over + SLACK_LINES);
      this.isLive = false;
    });
  }

  /** Reads what comes after the last line, where that is not pushed. */
  async readAfter(): Promise<void> {
    const { last } = this.lines;
    if (this.reading || !last || !this.hasAfter) return;
    await this.#read('after', async (source, signal) => {
      let { attempt } = last;
      let page = await readPage(source, { attempt, from: last.seq + 1 }, PAGE_LINES, signal);
      while (page.length === 0 && attempt < (this.#newest?.attempt ?? 0)) {
        attempt += 1;
        page = await readPage(source, { attempt, from: 1 }, PAGE_LINES, signal);
      }
      this.lines.append(attempt, page);
      const over = this.lines.all.length - KEPT_LINES;
      if (over > 0) this.lines.dropFirst(over);
      this.#catchUp();
    });
  }

  #begin(ask: FeedAsk): (() => void) | null {
    const { session, taskId, attempt, line } = ask;
    this.#reader.abort();
    this.#reader = new AbortController();
    this.lines.clear();
    this.partial = null;
    this.error = null;
    this.reading = null;
    this.#newest = null;
    this.#firstAttempt = 1;
    this.heard = 0;
    this.readingAt = 0;
    this.state = 'idle';
    this.isLive = line === null;
    if (taskId === '') return null;
    this.state = 'following';
    if (line !== null) void this.#readAround(ask, line);
    // Whoever reads elsewhere still hears how far the output has come.
    const tail = line === null ? TAIL_LINES : 1;
    const end = session.live.subscribe(
      `task:${taskId}`,
      {
        record: (task) => this.#onRecord(task),
        lines: (event) => this.#onLines(event),
        partial: (event) => this.#onPartial(event),
        logsEnded: () => this.#become('ended'),
        refused: (refusal) => this.#fail(refusal),
      },
      attempt === null ? { tail } : { tail, attempt },
    );
    return () => {
      end();
      this.#reader.abort();
      clearTimeout(this.#timer);
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    };
  }

  async #readAround(ask: FeedAsk, line: number): Promise<void> {
    await this.#read('around', async (source, signal) => {
      const from = Math.max(1, line - AROUND_LINES);
      const start = ask.attempt === null ? { from } : { attempt: ask.attempt, from };
      let page = await readPage(source, start, PAGE_LINES, signal);
      // A line that is not there: the last ones.
      if (page.length === 0)
        page = await readPage(
          source,
          { ...start, from: undefined, tail: AROUND_LINES },
          AROUND_LINES,
          signal,
        );
      const attempt = page[0]?.attempt ?? ask.attempt ?? 1;
      this.lines.append(attempt, page);
      if (page.length === 0) this.isLive = true;
      this.#catchUp();
    });
  }

  async #read(
    what: NonNullable<LogFeed['reading']>,
    read: (source: { session: Session; taskId: string }, signal: AbortSignal) => Promise<void>,
  ): Promise<void> {
    const { signal } = this.#reader;
    this.reading = what;
    this.error = null;
    this.#draw();
    try {
      await read(this.#ask(), signal);
    } catch (error) {
      if (signal.aborted) return;
      this.error = error as Error;
    }
    if (signal.aborted) return;
    this.reading = null;
    this.#draw();
  }

  #onRecord(task: TaskBody): void {
    this.task = task;
    this.#draw();
  }

  #onLines({ attempt, lines }: TaskLogEvent): void {
    const last = lines[lines.length - 1];
    if (!last) return;
    this.heard += lines.length;
    this.#newest = { attempt, seq: last.seq };
    this.partial = null;
    if (this.isLive) {
      this.lines.append(attempt, lines);
      this.#trim();
    } else this.#catchUp();
    this.#draw();
  }

  #onPartial({ attempt, after_seq, stream, text }: TaskPartialEvent): void {
    const { last } = this.lines;
    const asked = this.#ask().attempt;
    if (asked !== null && asked !== attempt) return;
    if (last && (attempt < last.attempt || (attempt === last.attempt && after_seq < last.seq))) return;
    this.partial = text === '' ? null : { stream, text };
    this.#draw();
  }

  /** What was read has reached what is pushed. */
  #catchUp(): void {
    const { last } = this.lines;
    if (!this.isLive && last && this.#newest && !isBefore(last, this.#newest)) this.isLive = true;
  }

  /** Lets the oldest go; where somebody reads just those, what comes is no longer taken instead. */
  #trim(): void {
    const over = this.lines.all.length - KEPT_LINES;
    if (over < SLACK_LINES) return;
    if (!this.isPaused || this.readingAt > over) this.lines.dropFirst(over);
    else this.isLive = false;
  }

  #become(state: FeedState): void {
    this.state = state;
    this.partial = null;
    this.#draw();
  }

  #fail({ message }: SocketRefusal): void {
    this.error = new Error(message);
    this.#become('failed');
  }

  /** At most once a frame, however fast lines come, and less often when each drawing has many lines to place. */
  #draw(): void {
    if (this.#frame !== 0) return;
    const draw = () => {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#host.requestUpdate();
      });
    };
    if (this.lines.all.length < MANY_LINES) draw();
    else {
      this.#frame = -1;
      this.#timer = setTimeout(draw, MANY_PAUSE_MS);
    }
  }
}
