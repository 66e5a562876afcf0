// The way of the run's own requests: through whichever copy of the API answers, again and again until one does. As a
// careful client would, it sends a submission under an idempotency key and honours "try later".

import { setTimeout as delay } from 'node:timers/promises';
import { ask, type Reply } from '../support/cluster.ts';

const CALL_MS = 10_000;
const AGAIN_MS = 200;

export class Door {
  readonly #urls: readonly string[];
  #turn = 0;
  token = '';
  /** Answers by status, and connections that broke: shows that the faults were felt. */
  readonly answers = new Map<string, number>();

  constructor(urls: readonly string[]) {
    this.#urls = urls;
  }

  /** One try at one copy. Rejects when there is no answer. */
  async once<T>(
    url: string,
    method: string,
    path: string,
    body?: unknown,
    headers: Record<string, string> = {},
  ): Promise<Reply<T>> {
    try {
      const asking = { token: this.token, deadlineMs: CALL_MS };
      const answer = await ask<T>(url, asking, method, path, body, headers);
      this.#count(String(answer.status));
      return answer;
    } catch (error) {
      this.#count('no answer');
      throw error;
    }
  }

  /**
   * Tries copy after copy until one gives an answer that is not "later" (429, 5xx).
   * @throws Error when none did before the deadline
   */
  async call<T>(
    method: string,
    path: string,
    body?: unknown,
    { deadlineMs = 120_000, headers = {} }: { deadlineMs?: number; headers?: Record<string, string> } = {},
  ): Promise<Reply<T>> {
    const end = performance.now() + deadlineMs;
    let last = '';
    for (;;) {
      const url = this.#urls[this.#turn % this.#urls.length] as string;
      try {
        const answer = await this.once<T>(url, method, path, body, headers);
        if (answer.status !== 429 && answer.status < 500) return answer;
        last = `${answer.status} ${JSON.stringify(answer.body)}`;
      } catch (error) {
        last = String((error as Error).cause ?? error);
      }
      this.#turn += 1;
      if (performance.now() > end) throw new Error(`${method} ${path}: ${last}, for ${deadlineMs} ms`);
      await delay(AGAIN_MS);
    }
  }

  #count(what: string): void {
    this.answers.set(what, (this.answers.get(what) ?? 0) + 1);
  }
}
