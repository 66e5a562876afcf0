// How long a transfer goes on trying while nothing moves: longer and longer pauses until a limit. Every byte that moves
// begins a new count.

import { mayPass } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import { CliError, complaintOf, EXIT } from '../exit.ts';

const DEFAULT_SECONDS = 60;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export interface PatienceParts {
  readonly limitMs: number;
  readonly signal: AbortSignal;
  /** What went wrong, once for each time that something stops moving. */
  readonly tell: (text: string) => void;
}

export class Patience {
  readonly #parts: PatienceParts;
  #waitedMs = 0;
  #tries = 0;
  #awaited = '';

  constructor(parts: PatienceParts) {
    this.#parts = parts;
  }

  moved(): void {
    this.#waitedMs = 0;
    this.#tries = 0;
  }

  /**
   * Waits before the next try after `error`.
   * @throws `error` itself when it cannot pass, and when there has been enough waiting; the reason of the signal
   */
  async after(error: unknown): Promise<void> {
    const { limitMs, signal, tell } = this.#parts;
    signal.throwIfAborted();
    if (!mayPass(error)) throw error;
    await this.#wait(error, () =>
      tell(`${complaintOf(error).message}; tries again for ${limitMs / 1_000} s`),
    );
  }

  /** Waits for something that happens elsewhere. @throws {CliError} when there has been enough waiting */
  async until(what: string): Promise<void> {
    const { tell, limitMs } = this.#parts;
    const late = new CliError(
      EXIT.failed,
      `${what}, and nothing moved for ${limitMs / 1_000} s`,
      'Run it again later.',
    );
    if (this.#awaited !== what) tell(what);
    this.#awaited = what;
    await this.#wait(late, () => undefined);
  }

  async #wait(error: unknown, tell: () => void): Promise<void> {
    const ms = Math.min(FIRST_PAUSE_MS * 2 ** this.#tries, LONGEST_PAUSE_MS);
    if (this.#waitedMs + ms > this.#parts.limitMs) throw error;
    if (this.#tries === 0) tell();
    this.#tries += 1;
    this.#waitedMs += ms;
    await pause(ms, this.#parts.signal);
  }
}

/** @throws {CliError} for a setting that is none */
export function patienceMs(env: Readonly<Record<string, string | undefined>>): number {
  const given = env.CLOUDAI_RETRY_SECONDS;
  const seconds = given === undefined || given === '' ? DEFAULT_SECONDS : Number(given);
  if (Number.isFinite(seconds) && seconds >= 0) return seconds * 1_000;
  throw new CliError(
    EXIT.usage,
    'CLOUDAI_RETRY_SECONDS must be a number of seconds',
    'Set it, or leave it out.',
  );
}
