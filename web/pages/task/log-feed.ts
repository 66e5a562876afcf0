// Follows a task's output for as long as its element is on the page. Keeps a bounded number of lines: a chatty task
// must not fill the browser's memory.

import type { ReactiveControllerHost } from 'lit';
import type { Live } from '../../../client/live.ts';
import type { SocketRefusal, TaskLogEvent, TaskPartialEvent } from '../../../shared/contracts/live.ts';
import { LiveSubscription } from '../../data/live-subscription.ts';

/** What a person scrolls through; the whole output comes from the command line. */
export const KEPT_LINES = 5_000;

export interface FeedLine {
  readonly kind: 'stdout' | 'stderr' | 'attempt';
  readonly text: string;
}

export class LogFeed {
  /** The last lines, oldest first. */
  lines: FeedLine[] = [];
  /** Lines that are not shown: they came before the first one asked for, or were let go again. */
  dropped = 0;
  /** The line being written, after the last whole one. */
  partial: FeedLine | null = null;
  state: 'idle' | 'following' | 'ended' | 'failed' = 'idle';
  error: Error | null = null;
  /** Grows when the lines begin anew. */
  generation = 0;
  readonly #host: ReactiveControllerHost;
  readonly #subscription: LiveSubscription;
  #attempt = 0;
  #lastSeq = 0;
  #frame = 0;

  constructor(host: ReactiveControllerHost, source: () => { live: Live; taskId: string }) {
    this.#host = host;
    this.#subscription = new LiveSubscription(host, () => this.#follow(source()));
  }

  restart(): void {
    this.#subscription.restart();
  }

  #follow({ live, taskId }: { live: Live; taskId: string }): (() => void) | null {
    this.lines = [];
    this.dropped = 0;
    this.partial = null;
    this.error = null;
    this.generation += 1;
    this.#attempt = 0;
    this.#lastSeq = 0;
    this.state = 'idle';
    if (taskId === '') return null;
    this.state = 'following';
    const end = live.subscribe(
      `task:${taskId}`,
      {
        lines: (event) => this.#onLines(event),
        partial: (event) => this.#onPartial(event),
        logsEnded: () => this.#become('ended'),
        refused: (refusal) => this.#fail(refusal),
      },
      { tail: KEPT_LINES },
    );
    return () => {
      end();
      cancelAnimationFrame(this.#frame);
      this.#frame = 0;
    };
  }

  #onLines({ attempt, lines }: TaskLogEvent): void {
    if (attempt !== this.#attempt) {
      if (this.#attempt > 0) this.lines.push({ kind: 'attempt', text: `attempt ${attempt}` });
      this.#attempt = attempt;
      this.#lastSeq = 0;
    }
    const [first] = lines;
    if (this.lines.length === 0 && first) this.dropped += first.seq - 1;
    for (const { seq, stream, line } of lines) {
      this.lines.push({ kind: stream, text: line });
      this.#lastSeq = seq;
    }
    this.partial = null;
    if (this.lines.length > 2 * KEPT_LINES) this.#trim();
    this.#draw();
  }

  #onPartial({ attempt, after_seq, stream, text }: TaskPartialEvent): void {
    if (attempt < this.#attempt || after_seq < this.#lastSeq) return;
    this.partial = text === '' ? null : { kind: stream, text };
    this.#draw();
  }

  #become(state: LogFeed['state']): void {
    this.state = state;
    this.partial = null;
    this.#draw();
  }

  #fail({ message }: SocketRefusal): void {
    this.error = new Error(message);
    this.#become('failed');
  }

  /** Let go in large steps: one at a time would cost a copy for each line. */
  #trim(): void {
    const over = this.lines.length - KEPT_LINES;
    this.lines.splice(0, over);
    this.dropped += over;
  }

  /** At most once a frame, however fast lines come. */
  #draw(): void {
    if (this.#frame !== 0) return;
    this.#frame = requestAnimationFrame(() => {
      this.#frame = 0;
      if (this.lines.length > KEPT_LINES) this.#trim();
      this.#host.requestUpdate();
    });
  }
}
