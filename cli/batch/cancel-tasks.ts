// `cancel` for more than one task: by id, from standard input, or by tag and state, after a question.

import type { TaskState } from '../../shared/model/task.ts';
import { TERMINAL_STATES } from '../../shared/model/task-states.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import type { Session } from '../session.ts';
import { StatusLine } from '../status-line.ts';
import { plain } from '../table.ts';
import { type CancelOutcome, cancelAll } from './cancel-many.ts';
import { idsGiven } from './task-ids.ts';
import { taskPages } from './task-pages.ts';

export interface CancelTasksOptions {
  readonly force?: boolean;
  readonly tag?: string;
  readonly state?: TaskState[];
  readonly user?: string;
  readonly yes?: boolean;
}

const OPEN_STATES: readonly TaskState[] = ['queued', 'assigned', 'running'];
/** Faults that are named one by one. */
const SHOWN = 20;

export function isFilter({ tag, state, user }: CancelTasksOptions): boolean {
  return tag !== undefined || state !== undefined || user !== undefined;
}

export async function cancelTasks(
  session: Session,
  options: CancelTasksOptions,
  given: readonly string[],
): Promise<ExitCode> {
  const { client, io } = session;
  const byFilter = isFilter(options);
  checkCancel(options, given, byFilter);
  const ids = byFilter ? await confirmed(session, options) : [...new Set(await idsGiven(session, given))];
  const line = new StatusLine(io, !session.json && !session.quiet);
  const accepted: string[] = [];
  let outcome: CancelOutcome;
  try {
    outcome = await cancelAll(client, ids, {
      force: options.force === true,
      signal: io.signal,
      onDone: (done) => line.draw(`${done} of ${ids.length} asked to stop`),
      onAccepted: ({ task_id }) => accepted.push(task_id),
    });
  } catch (error) {
    await line.clear();
    await session.remark(`${accepted.length} of ${ids.length} tasks were asked to stop before that.`);
    throw error;
  }
  await line.clear();
  await session.show({ json: outcome, ids: accepted, text: () => outcomeText(outcome) });
  // A task that ends by itself while others of its tag are cancelled is what was wanted; one that was named is not.
  return outcome.failed.length > 0 || (!byFilter && outcome.ended > 0) ? EXIT.failed : EXIT.ok;
}

function checkCancel(options: CancelTasksOptions, given: readonly string[], byFilter: boolean): void {
  if (byFilter && given.length > 0) {
    throw new CliError(
      EXIT.usage,
      'tasks are named by id and by --tag, --state or --user',
      'Use one of the two.',
    );
  }
  if (!byFilter && given.length === 0) {
    const advice = 'Name tasks, - for standard input, or --tag and --state.';
    throw new CliError(EXIT.usage, 'there is no task to cancel', advice);
  }
  const ended = options.state?.find((state) => (TERMINAL_STATES as readonly TaskState[]).includes(state));
  if (ended) {
    const advice = `Name states of ${OPEN_STATES.join(', ')}.`;
    throw new CliError(EXIT.usage, `tasks that are ${ended} have ended: there is nothing to cancel`, advice);
  }
}

/** One's own unless `--user` says whose: an admin sees everybody's, and a slip must not stop them all. */
async function confirmed(session: Session, options: CancelTasksOptions): Promise<string[]> {
  const { client, io } = session;
  if (!options.yes && !io.interactive) {
    const advice = 'Say --yes if that is meant.';
    throw new CliError(EXIT.usage, 'there is nobody to ask whether to cancel them all', advice);
  }
  const user = options.user ?? (await client.me({ signal: io.signal })).username;
  const filter = { tag: options.tag, status: options.state ?? OPEN_STATES, user };
  const ids: string[] = [];
  const counts = new Map<TaskState, number>();
  for await (const { tasks } of taskPages(client, filter, Infinity, io.signal)) {
    for (const { task_id, status } of tasks) {
      ids.push(task_id);
      counts.set(status, (counts.get(status) ?? 0) + 1);
    }
  }
  if (ids.length === 0 || options.yes) return ids;
  const states = [...counts].map(([state, count]) => `${count} ${state}`).join(', ');
  const tagged = options.tag === undefined ? '' : ` with the tag "${plain(options.tag)}"`;
  const question = `Cancel ${states} ${ids.length === 1 ? 'task' : 'tasks'} of ${plain(user)}${tagged}? [y/N] `;
  const answer = await io.ask(question, { secret: false });
  if (/^y(es)?$/i.test(answer.trim())) return ids;
  throw new CliError(EXIT.failed, 'nothing was cancelled', '');
}

function outcomeText({ requested, cancelled, stopping, ended, failed }: CancelOutcome): string {
  if (requested === 0) return 'There is nothing to cancel.\n';
  const parts = [
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
    ...(stopping > 0 ? [`${stopping} being stopped`] : []),
    ...(ended > 0 ? [`${ended} had ended before`] : []),
    ...(failed.length > 0 ? [`${failed.length} could not be cancelled`] : []),
  ];
  const faults = failed.slice(0, SHOWN).map(({ task_id, message }) => `  ${task_id}: ${plain(message)}\n`);
  const more = failed.length - faults.length;
  return `${parts.join(', ')}.\n${faults.join('')}${more > 0 ? `  and ${more} more\n` : ''}`;
}
