// What commands on files say alike, and what they refuse alike.

import { byteSize, fileCount } from '../../client/words.ts';
import type { FileBody, FileTotalBody } from '../../shared/contracts/files.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { usernameKey } from '../../shared/model/user.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Session } from '../session.ts';
import { plain } from '../table.ts';

/** @throws {CliError} when it is someone else's */
export function checkOwner(task: TaskBody, user: string): void {
  if (usernameKey(user) !== usernameKey(task.user)) throw notOwner(task, user);
}

export function notOwner(task: TaskBody, user: string, advice = ''): CliError {
  return new CliError(EXIT.usage, `${task.task_id} is a task of ${task.user}, not of ${user}`, advice);
}

export function noFiles(id: string, attempt: number | null): string {
  return attempt === null
    ? `${id} has not run yet, so it has no files.`
    : `Attempt ${attempt} of ${id} left no files.`;
}

export function totalOf(some: readonly FileBody[]): FileTotalBody {
  return { files: some.length, bytes: some.reduce((all, { size_bytes }) => all + size_bytes, 0) };
}

export function totalText({ files: count, bytes }: FileTotalBody): string {
  return `${fileCount(count)}, ${byteSize(bytes)}`;
}

export async function tellFailures(
  session: Session,
  failed: readonly { path: string; error: string }[],
  all: number,
): Promise<ExitCode> {
  const lines = failed.map(({ path, error }) => `  ${plain(path)}: ${plain(error)}\n`);
  await session.io.err(`cloudai: ${failed.length} of ${fileCount(all)} failed\n${lines.join('')}`);
  return EXIT.failed;
}
