// What the CLI needs of the world around it, so that tests run it in-process with streams of their own.

import type { Screen } from './screen/screen.ts';

export interface CliIo {
  /** Resolves when more may be written; awaited where much is written. */
  out(text: string): Promise<void>;
  err(text: string): Promise<void>;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Columns of the terminal as it is now; null when output is no terminal and nothing must be cut. */
  readonly columns: number | null;
  readonly color: boolean;
  /** Where a picture is drawn anew in place; null or absent when standard output is no terminal. */
  readonly openScreen?: (() => Promise<Screen>) | null;
  /** The same of standard error, where progress is shown; as `columns` when absent. */
  readonly progressColumns?: number | undefined;
  /** Bytes to standard output as they are; absent where they would do harm, as on a terminal. */
  readonly outBytes?: ((bytes: Uint8Array) => Promise<void>) | undefined;
  /** True when standard error is a terminal, where a line may be written anew in place. */
  readonly progress: boolean;
  /** True when a person can be asked. */
  readonly interactive: boolean;
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal;
  /** Asks on the terminal. `secret` answers are not shown. Rejects when the person leaves; `signal` is aborted then. */
  ask(prompt: string, options: { secret: boolean }): Promise<string>;
  /** All of standard input; of one that is larger than `maxBytes` a little more than that. */
  readInput(bound?: { maxBytes: number }): Promise<string>;
  /** Milliseconds since the epoch. */
  now(): number;
}
