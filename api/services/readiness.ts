// Whether this process can do its work, or what keeps it from it.

import { isAppError } from '../../shared/errors.ts';
import type { Log } from '../../shared/platform/log.ts';
import { answerWithin } from './deadline.ts';

const CHECK_DEADLINE_MS = 2_000;

export interface CheckResult {
  readonly ok: boolean;
  readonly message: string | null;
}

/** By name; each rejects when what it asks is away. */
export type Checks = Readonly<Record<string, () => Promise<void>>>;

export class Readiness {
  readonly #checks: Checks;
  readonly #log: Log;
  #asked: Promise<(readonly [name: string, result: CheckResult])[]> | null = null;

  constructor(checks: Checks, log: Log) {
    this.#checks = checks;
    this.#log = log;
  }

  /** Anyone may ask, and as often as they like: store and Redis are asked once at a time. Never rejects. */
  results(): Promise<(readonly [name: string, result: CheckResult])[]> {
    this.#asked ??= this.#judgeAll().finally(() => {
      this.#asked = null;
    });
    return this.#asked;
  }

  async isReady(): Promise<boolean> {
    return (await this.results()).every(([, { ok }]) => ok);
  }

  #judgeAll() {
    return Promise.all(
      Object.entries(this.#checks).map(
        async ([name, check]) => [name, await this.#judge(name, check)] as const,
      ),
    );
  }

  async #judge(name: string, check: () => Promise<void>): Promise<CheckResult> {
    try {
      await answerWithin(check(), CHECK_DEADLINE_MS, `the ${name}`);
      return { ok: true, message: null };
    } catch (error) {
      this.#log.warn({ err: error, check: name }, 'not ready');
      // Anyone may read this, so only our own words are shown: a part's may hold an address.
      const late = isAppError(error, 'timed_out');
      return {
        ok: false,
        message: late
          ? `the ${name} did not answer within ${CHECK_DEADLINE_MS} ms`
          : `the ${name} does not answer`,
      };
    }
  }
}
