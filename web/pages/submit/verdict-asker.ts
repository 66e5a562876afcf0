// Asks the cluster what it would do with the task of the form: when typing pauses, and again now and then, for the cluster
// changes. Never two questions at once. Environment and command do not matter for it and are not sent.

import type { ReactiveController, ReactiveControllerHost } from 'lit';
import { ApiError, type Client } from '../../../client/client.ts';
import type { SubmitBody } from '../../../shared/contracts/http.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import { ofOneTask } from './field-faults.ts';
import { type Verdict, verdictOf } from './verdict.ts';

const PAUSE_MS = 350;
const AGAIN_MS = 10_000;
/** Other pages of the same person ask too. */
const BUSY_MS = 1_500;

export interface Question {
  readonly body: SubmitBody;
  readonly copies: number;
}

export class VerdictAsker implements ReactiveController {
  verdict: Verdict | null = null;
  /** What the API would refuse. */
  faults: readonly ErrorDetail[] = [];
  error: Error | null = null;
  asking = false;
  readonly #host: ReactiveControllerHost;
  readonly #client: () => Client;
  readonly #workers: () => readonly WorkerBody[];
  #question: Question | null = null;
  #asked = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  #running: AbortController | null = null;
  #isConnected = false;

  constructor(host: ReactiveControllerHost, client: () => Client, workers: () => readonly WorkerBody[]) {
    this.#workers = workers;
    this.#host = host;
    this.#client = client;
    host.addController(this);
  }

  hostConnected(): void {
    this.#isConnected = true;
    if (this.#question) this.#askIn(0);
  }

  hostDisconnected(): void {
    this.#isConnected = false;
    this.#stop();
  }

  /** A repeat changes nothing. Null: there is nothing to ask about. */
  ask(question: Question | null): void {
    const bare = question && {
      ...question,
      body: { ...question.body, command: null, env: {}, secrets: [] },
    };
    const text = JSON.stringify(bare);
    if (text === this.#asked) return;
    this.#asked = text;
    this.#question = bare;
    this.#stop();
    if (bare) {
      this.asking = true;
      this.#askIn(PAUSE_MS);
    } else {
      this.asking = false;
      this.#take(null, [], null);
    }
  }

  #askIn(ms: number): void {
    clearTimeout(this.#timer);
    if (this.#isConnected) this.#timer = setTimeout(() => void this.#askNow(), ms);
  }

  #stop(): void {
    clearTimeout(this.#timer);
    this.#running?.abort();
    this.#running = null;
  }

  async #askNow(): Promise<void> {
    const question = this.#question;
    if (!question) return;
    if (document.hidden) return this.#askIn(AGAIN_MS);
    const running = new AbortController();
    this.#running = running;
    const { body, copies } = question;
    let nextMs = AGAIN_MS;
    try {
      const reply = await this.#client().whatIf(
        { tasks: [{ ...body, count: copies }] },
        { signal: running.signal },
      );
      if (running.signal.aborted) return;
      this.#take(verdictOf(reply, body, this.#workers()), [], null);
    } catch (error) {
      if (running.signal.aborted) return;
      if (error instanceof ApiError && error.status === 429) nextMs = BUSY_MS;
      else if (error instanceof ApiError && error.details.length > 0) {
        this.#take(null, ofOneTask(error.details), null);
      } else this.#take(null, [], error as Error);
    }
    this.asking = nextMs === BUSY_MS;
    this.#running = null;
    this.#host.requestUpdate();
    this.#askIn(nextMs);
  }

  #take(verdict: Verdict | null, faults: readonly ErrorDetail[], error: Error | null): void {
    this.verdict = verdict;
    this.faults = faults;
    this.error = error;
  }
}
