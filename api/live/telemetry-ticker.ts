// One look at the cluster each second for all who watch, over whatever they came, and only while somebody does.
// A look that fails or takes long is left out; the next one shows what is true then.

import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import type { Log } from '../../shared/platform/log.ts';

export interface Tick {
  readonly body: TelemetryReply;
  /** The body as JSON, made once. */
  text(): string;
}

export type TickListener = (tick: Tick) => void;

const EVERY_MS = 1_000;

export class TelemetryTicker {
  readonly #read: () => Promise<TelemetryReply>;
  readonly #log: Log;
  readonly #listeners = new Set<TickListener>();
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<Tick> | null = null;

  constructor(read: () => Promise<TelemetryReply>, log: Log) {
    this.#read = read;
    this.#log = log;
  }

  /** @returns ends the listening */
  listen(listener: TickListener): () => void {
    this.#listeners.add(listener);
    this.#timer ??= setInterval(() => this.#tick(), EVERY_MS);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.stop();
    };
  }

  /** What is true now, for one who has just come. @throws AppError when the store is away */
  now(): Promise<Tick> {
    this.#reading ??= this.#look().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  stop(): void {
    this.#listeners.clear();
    if (this.#timer) clearInterval(this.#timer);
    this.#timer = null;
  }

  #tick(): void {
    if (this.#reading) return;
    this.now().then(
      (tick) => {
        for (const listener of this.#listeners) listener(tick);
      },
      (error: unknown) => this.#log.debug({ err: error }, 'no telemetry for watchers'),
    );
  }

  async #look(): Promise<Tick> {
    const body = await this.#read();
    let text: string | null = null;
    return {
      body,
      text: () => {
        text ??= JSON.stringify(body);
        return text;
      },
    };
  }
}
