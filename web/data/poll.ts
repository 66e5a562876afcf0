// Keeps an element supplied with fresh data. What the API pushes is asked for once, and again after each break of the
// live connection; only without a connection, or for what is not pushed, it asks again and again: while the element is
// on a visible page, never twice at once, slower while it fails. The last good data stays beside an error.

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import type { Session } from './session.ts';

const EVERY_MS = 2_000;
const SLOWEST_MS = 15_000;
/** A list that changes many times a second is asked for this often. */
const SOON_MS = 500;

export interface PollOptions<T> {
  readonly load: (signal: AbortSignal) => Promise<T>;
  /** Ends the asking, e.g. when a task has ended. Default: never. */
  readonly done?: (data: T) => boolean;
  /** Whose live connection brings the news; without it nothing is pushed. */
  readonly pushedBy?: () => Session;
  /** How often to ask for what is not pushed. */
  readonly everyMs?: number;
}

export class Poll<T> implements ReactiveController {
  data: T | null = null;
  error: Error | null = null;
  readonly #host: ReactiveControllerHost;
  readonly #options: PollOptions<T>;
  #session: Session | null = null;
  #wasPushed = false;
  #running: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #soon: ReturnType<typeof setTimeout> | undefined;
  #failures = 0;
  #connected = false;
  readonly #onVisibility = () => {
    if (document.hidden) this.#stop();
    else this.refresh();
  };
  /** After a break what came meanwhile is unknown; when a break begins, asking takes over. */
  readonly #onLive = () => {
    if (this.#isPushed === this.#wasPushed) return;
    this.#wasPushed = this.#isPushed;
    this.refresh();
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

  get isAsking(): boolean {
    return this.#running !== null;
  }

  hostConnected(): void {
    this.#connected = true;
    document.addEventListener('visibilitychange', this.#onVisibility);
    this.#session = this.#options.pushedBy?.() ?? null;
    this.#wasPushed = this.#isPushed;
    this.#session?.addEventListener('live', this.#onLive);
    this.refresh();
  }

  hostDisconnected(): void {
    this.#connected = false;
    document.removeEventListener('visibilitychange', this.#onVisibility);
    this.#session?.removeEventListener('live', this.#onLive);
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

  /** Asks soon, and once for all who want it meanwhile; after the answer that is under way, so that one comes at all. */
  refreshSoon(): void {
    this.#soon ??= setTimeout(() => {
      this.#soon = undefined;
      if (this.#running) this.refreshSoon();
      else this.refresh();
    }, SOON_MS);
  }

  /** Forgets what is known and asks for something else. */
  restart(): void {
    this.data = null;
    this.error = null;
    this.#host.requestUpdate();
    this.refresh();
  }

  get #isPushed(): boolean {
    return this.#session?.live.state === 'connected';
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
      again = !this.#isPushed && !this.#options.done?.(data);
    } catch (error) {
      if (running.signal.aborted) return;
      this.error = error as Error;
      this.#failures += 1;
    }
    this.#running = null;
    this.#host.requestUpdate();
    if (again) {
      const everyMs = this.#options.everyMs ?? EVERY_MS;
      const pauseMs = this.#failures > 0 ? Math.min(EVERY_MS * 2 ** this.#failures, SLOWEST_MS) : everyMs;
      this.#timer = setTimeout(() => this.refresh(), pauseMs);
    }
  }
}
