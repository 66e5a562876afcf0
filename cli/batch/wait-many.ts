// `wait` for more than one task: by id, from standard input, or by tag.

import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Session } from '../session.ts';
import { Awaited } from './awaited.ts';
import { exitCodeOf, summaryText, waitForMany } from './many-wait.ts';
import { checkWaitOptions, type WaitOptions } from './submit-options.ts';
import { idsGiven } from './task-ids.ts';
import { taskPages } from './task-pages.ts';

export interface WaitManyOptions extends WaitOptions {
  readonly tag?: string;
  readonly user?: string;
}

/** More ids than a command line takes well are better named by what they have in common. */
const NAMED = 3;

/** Whether the command is about one task and no more, whose end is looked at closely. */
export function isForOne(options: WaitManyOptions, given: readonly string[]): boolean {
  const { tag, fail_fast, timeout } = options;
  return given.length === 1 && given[0] !== '-' && tag === undefined && !fail_fast && timeout === undefined;
}

export async function waitMany(
  session: Session,
  options: WaitManyOptions,
  given: readonly string[],
): Promise<ExitCode> {
  checkWaitOptions(options);
  const { awaited, comeBack } = await whomToAwait(session, options, given);
  const summary = await waitForMany(session, awaited, options, comeBack);
  await session.show({
    json: summary,
    // So that a pipe can submit them again.
    ids: summary.not_completed.map(({ task_id }) => task_id),
    text: () => summaryText(session, summary),
  });
  return exitCodeOf(summary);
}

async function whomToAwait(
  session: Session,
  { tag, user }: WaitManyOptions,
  given: readonly string[],
): Promise<{ awaited: Awaited; comeBack: string }> {
  if (tag === undefined) {
    if (user !== undefined) throw new CliError(EXIT.usage, '--user goes with --tag', 'Name a tag too.');
    if (given.length === 0) {
      throw new CliError(
        EXIT.usage,
        'there is no task to wait for',
        'Name tasks, - for standard input, or --tag.',
      );
    }
    const ids = await idsGiven(session, given);
    const named = ids.length <= NAMED ? ids.join(' ') : '- < a file of their ids, one a line';
    return { awaited: new Awaited(ids), comeBack: `cloudai wait ${named}` };
  }
  if (given.length > 0) {
    throw new CliError(EXIT.usage, 'tasks are named by id and by tag', 'Use one of the two.');
  }
  const awaited = await withTag(session, tag, user);
  const comeBack = `cloudai wait --tag ${tag}${user === undefined ? '' : ` --user ${user}`}`;
  return { awaited, comeBack };
}

/** All there are now, also those that have ended: what failed before the waiting began failed all the same. */
async function withTag(session: Session, tag: string, user: string | undefined): Promise<Awaited> {
  const { client, io } = session;
  const owner = user ?? (await client.me({ signal: io.signal })).username;
  const awaited = new Awaited();
  for await (const { tasks } of taskPages(client, { tag, user: owner }, Infinity, io.signal)) {
    for (const task of tasks) awaited.add(task);
  }
  if (awaited.total > 0) return awaited;
  throw new CliError(EXIT.failed, `${owner} has no task with the tag "${tag}"`, 'See "cloudai list-tasks".');
}
