// Follows a task's output for as long as its element is on the page. Keeps a bounded number of lines: a chatty task
// must not fill the browser's memory.

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Client } from '../../client/client.ts';

/** What a person scrolls through; the whole output comes from the command line. */
export const KEPT_LINES = 5_000;

export interface FeedLine {
  readonly kind: 'stdout' | 'stderr' | 'attempt';
  readonly text: string;
}

export class LogFeed implements ReactiveController {
  /** The last lines, oldest first. */
  lines: FeedLine[] = [];
  /** Lines that came and were let go again. */
  dropped = 0;
  state: 'idle' | 'following' | 'reconnecting' | 'ended' | 'failed' = 'idle';
  error: Error | null = null;
  /** Grows when the lines begin anew. */
  generation = 0;
  readonly #host: ReactiveControllerHost;
  readonly #source: () => { client: Client; taskId: string };
  #running: AbortController | null = null;
  #frame = 0;

  constructor(host: ReactiveControllerHost, source: () => { client: Client; taskId: string }) {
    this.#host = host;
    this.#source = source;
    host.addController(this);
  }

  hostConnected(): void {
    this.restart();
  }

  hostDisconnected(): void {
    this.#running?.abort();
    this.#running = null;
    cancelAnimationFrame(this.#frame);
    this.#frame = 0;
  }

  restart(): void {
    this.#running?.abort();
    this.lines = [];
    this.dropped = 0;
    this.error = null;
    this.generation += 1;
    this.state = 'idle';
    const { taskId } = this.#source();
    if (taskId !== '') void this.#follow(taskId);
  }

  async #follow(taskId: string): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    this.state = 'following';
    try {
      const { client } = this.#source();
      const lines = client.taskLogs(taskId, {
        attempt: undefined,
        follow: true,
        signal: running.signal,
        onAttempt: (attempt) => {
          if (this.lines.length + this.dropped > 0)
            this.#add({ kind: 'attempt', text: `attempt ${attempt}` });
        },
        onReconnect: () => {
          this.state = 'reconnecting';
          this.#draw();
        },
      });
      for await (const { stream, line } of lines) {
        if (running.signal.aborted) return;
        this.state = 'following';
        this.#add({ kind: stream, text: line });
      }
      this.state = 'ended';
    } catch (error) {
      if (running.signal.aborted) return;
      this.state = 'failed';
      this.error = error as Error;
    }
    this.#draw();
  }

  #add(line: FeedLine): void {
    this.lines.push(line);
    if (this.lines.length > 2 * KEPT_LINES) this.#trim();
    this.#draw();
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
