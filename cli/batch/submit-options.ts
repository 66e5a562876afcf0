// Options of `submit` and of everything that waits for many tasks.

import type { Command } from 'commander';
import { CliError, EXIT } from '../exit.ts';
import { positive } from '../options.ts';

/** Tasks that a file may make, unless `--max` says otherwise. */
export const DEFAULT_MAX = 10_000;

export interface WaitOptions {
  readonly fail_fast?: boolean;
  readonly cancel_rest?: boolean;
  /** Seconds. */
  readonly timeout?: number;
}

export interface SubmitFileOptions extends WaitOptions {
  readonly file: string;
  readonly max?: number;
  readonly dry_run?: boolean;
  readonly idempotency_key?: string;
  readonly wait?: boolean;
}

export function withWaitOptions(command: Command): Command {
  return command
    .option('--fail-fast', 'end with the first task that does not complete')
    .option('--cancel-rest', 'with --fail-fast: cancel the others')
    .option(
      '--timeout <seconds>',
      'give up waiting after this long, with exit code 1; the tasks go on',
      positive,
    );
}

/** @throws {CliError} for options that mean nothing together */
export function checkWaitOptions({ fail_fast, cancel_rest }: WaitOptions): void {
  if (cancel_rest && !fail_fast) {
    const advice = 'Say --fail-fast too, or leave it out.';
    throw new CliError(EXIT.usage, '--cancel-rest goes with --fail-fast', advice);
  }
}

/** @throws {CliError} for options of waiting without `--wait` */
export function checkSubmitOptions(options: SubmitFileOptions): void {
  checkWaitOptions(options);
  const { wait, dry_run, fail_fast, timeout } = options;
  if (!wait && (fail_fast || timeout !== undefined)) {
    const advice = 'Say --wait too, or leave it out.';
    throw new CliError(EXIT.usage, '--fail-fast and --timeout are for --wait', advice);
  }
  if (wait && dry_run) {
    throw new CliError(EXIT.usage, 'a dry run leaves nothing to wait for', 'Leave out --wait or --dry-run.');
  }
}
