// Keeps an element supplied with fresh data: asks again and again while the element is on a visible page, never
// twice at once, slower while it fails. The last good data stays beside an error.

import type { ReactiveController, ReactiveControllerHost } from 'lit';

const EVERY_MS = 2_000;
const SLOWEST_MS = 15_000;
/** A list that changes many times a second is asked for this often. */
const SOON_MS = 500;
const WHILE_PUSHED_MS = 30_000;

export interface PollOptions<T> {
  readonly load: (signal: AbortSignal) => Promise<T>;
  /** Ends the asking, e.g. when a task has ended. Default: never. */
  readonly done?: (data: T) => boolean;
  /** While this holds, news are pushed: asking is only a safety net. Default: never. */
  readonly pushed?: () => boolean;
}

export class Poll<T> implements ReactiveController {
  data: T | null = null;
  error: Error | null = null;
  readonly #host: ReactiveControllerHost;
  readonly #options: PollOptions<T>;
  #running: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #connected = false;
  readonly #onVisibility = () => {
    if (document.hidden) this.#stop();
    else this.refresh();
  };

  constructor(host: ReactiveControllerHost, options: PollOptions<T>) {
    this.#host = host;
    this.#options = options;
    host.addController(this);
  }

  /** True before the first answer of any kind. */
  get loading(): boolean {
    return this.data === null && this.error === null;
  }

  hostConnected(): void {
    this.#connected = true;
    document.addEventListener('visibilitychange', this.#onVisibility);
    this.refresh();
  }

  hostDisconnected(): void {
    this.#connected = false;
    document.removeEventListener('visibilitychange', this.#onVisibility);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#stop();
  }

  /** Asks now; an answer still under way is given up. */
  refresh(): void {
    this.#stop();
    if (this.#connected && !document.hidden) void this.#ask();
  }

  /** News that came by themselves. */
  take(data: T): void {
    this.data = data;
    this.error = null;
    if (this.#options.done?.(data)) this.#stop();
    this.#host.requestUpdate();
  }

  /** Asks soon, and once for all who want it meanwhile. */
  refreshSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      this.refresh();
    }, SOON_MS);
  }

  /** Forgets what is known and asks for something else. */
  restart(): void {
    this.data = null;
    this.error = null;
    this.#host.requestUpdate();
    this.refresh();
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  async #ask(): Promise<void> {
    const running = new AbortController();
    this.#running = running;
    let again = true;
    try {
      const data = await this.#options.load(running.signal);
      if (running.signal.aborted) return;
      this.data = data;
      this.error = null;
      this.#failures = 0;
      again = !this.#options.done?.(data);
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error as Error;
      this.#failures += 1;
    }
    this.#running = null;
    this.#host.requestUpdate();
    if (again) {
      const everyMs = this.#options.pushed?.() ? WHILE_PUSHED_MS : EVERY_MS;
      const pauseMs = this.#failures > 0 ? Math.min(EVERY_MS * 2 ** this.#failures, SLOWEST_MS) : everyMs;
      this.#timer = setTimeout(() => this.refresh(), pauseMs);
    }
  }
}
