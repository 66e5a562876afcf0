// What the end of a task is as an exit code. Pure.

import type { TaskBody } from '../../shared/contracts/http.ts';
import { EXIT, type ExitCode } from '../exit.ts';

/** `own`: that of the container, where it has one; a task that did not complete never gives 0. */
export function exitCodeOf({ status, exit_code }: TaskBody, own: boolean): ExitCode {
  if (status === 'completed') return EXIT.ok;
  return own && exit_code !== null && exit_code > 0 && exit_code < 256 ? exit_code : EXIT.failed;
}
