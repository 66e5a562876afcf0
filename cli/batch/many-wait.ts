// Waits for thousands of tasks with a few calls a round: the API is asked for the states of those left, a thousand at
// a time, and the more there are to ask about the longer is the pause. The tasks go on when the waiting ends.

import { ApiError, type Client, mayPass } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import type { TaskStatesReply } from '../../shared/contracts/http.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import type { Session } from '../session.ts';
import { StatusLine } from '../status-line.ts';
import { plain } from '../table.ts';
import type { Awaited, NotCompleted, WaitSummary } from './awaited.ts';
import { cancelAll } from './cancel-many.ts';
import type { WaitOptions } from './submit-options.ts';

/** What the API takes at once. */
const AT_ONCE = 1_000;
const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 2_000;
/** Asking takes at most one part in so many of the time, on a slow API or with very many tasks. */
const SHARE = 10;
const LONGEST_PAUSE_MS = 15_000;
/** An API that restarts is waited for; one that stays away is an error. */
const PATIENCE_MS = 60_000;
/** Timers of a longer time go off at once. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;
/** Of those that did not complete, in text. */
const SHOWN = 20;

/**
 * Until all have ended, the time is up or, with `fail_fast`, the first has not completed.
 * `comeBack` is the command that takes up the waiting again.
 * @throws what the API said no with, and the signal's reason after Ctrl-C; both after a word on what goes on
 */
export async function waitForMany(
  session: Session,
  awaited: Awaited,
  options: WaitOptions,
  comeBack: string,
): Promise<WaitSummary> {
  const { client, io } = session;
  const timeIsUp =
    options.timeout === undefined
      ? null
      : AbortSignal.timeout(Math.min(options.timeout * 1_000, LONGEST_TIMER_MS));
  const signal = timeIsUp ? AbortSignal.any([io.signal, timeIsUp]) : io.signal;
  const line = new StatusLine(io, !session.json && !session.quiet);
  try {
    await askUntilEnd(client, awaited, options.fail_fast === true, line, signal);
  } catch (error) {
    const timedOut = timeIsUp?.aborted === true && !io.signal.aborted;
    await line.clear();
    if (awaited.left.size > 0 && !(error instanceof ApiError && error.status === 404)) {
      const why = timedOut ? `Gave up after ${options.timeout} s: ` : '';
      await session.remark(`${why}${goOn(awaited.left.size)} Come back with: ${comeBack}`);
    }
    if (!timedOut) throw error;
    return awaited.summary(true);
  }
  await line.clear();
  if (options.cancel_rest && awaited.left.size > 0) {
    const ended = await cancelAll(client, [...awaited.left], { force: false, signal: io.signal });
    const failed = ended.failed.length === 0 ? '' : `, ${ended.failed.length} could not be`;
    await session.remark(`The rest was cancelled: ${ended.cancelled + ended.stopping} tasks${failed}.`);
  } else if (awaited.left.size > 0) {
    await session.remark(`${goOn(awaited.left.size)} Cancel them, or come back with: ${comeBack}`);
  }
  return awaited.summary(false);
}

export function exitCodeOf({ total, completed }: WaitSummary): ExitCode {
  return completed === total ? EXIT.ok : EXIT.failed;
}

export function summaryText(session: Session, summary: WaitSummary): string {
  const { total, completed, failed, cancelled, left } = summary;
  if (completed === total) {
    return total === 1 ? 'The task completed.\n' : `All ${total} tasks completed.\n`;
  }
  const parts = [
    `${completed} of ${total} tasks completed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} ${cancelled === 1 ? 'was' : 'were'} cancelled`] : []),
    ...(left > 0 ? [`${left} ${left === 1 ? 'has' : 'have'} not ended`] : []),
  ];
  const bad = summary.not_completed;
  const shown = bad.slice(0, SHOWN);
  const table = session.table<NotCompleted>(shown, [
    { title: 'TASK', cell: ({ task_id }) => task_id },
    ...(shown.some(({ name }) => name !== '')
      ? [{ title: 'NAME', cell: ({ name }: NotCompleted) => name, min: 6, dispensable: 1 }]
      : []),
    { title: 'WHY', cell: whyText, min: 10 },
  ]);
  const more = bad.length - shown.length;
  return [
    `${parts.join(', ')}.\n`,
    bad.length > 0 ? `\n${table}` : '',
    more > 0 ? `and ${more} more; --json names all of them, --quiet their ids.\n` : '',
  ].join('');
}

function whyText(task: NotCompleted): string {
  if (task.status === 'cancelled') return plain(task.message ?? 'cancelled');
  return plain(task.message ?? task.reason ?? 'no reason given');
}

function goOn(left: number): string {
  return left === 1 ? '1 task has not ended; it goes on.' : `${left} tasks have not ended; they go on.`;
}

async function askUntilEnd(
  client: Client,
  awaited: Awaited,
  failFast: boolean,
  line: StatusLine,
  signal: AbortSignal,
): Promise<void> {
  const isOver = () => awaited.left.size === 0 || (failFast && awaited.notCompleted.length > 0);
  for (let growingMs = FIRST_PAUSE_MS; !isOver(); growingMs = Math.min(growingMs * 1.5, LAST_PAUSE_MS)) {
    const began = performance.now();
    const ids = [...awaited.left];
    let running = 0;
    for (let at = 0; at < ids.length && !isOver(); at += AT_ONCE) {
      const { tasks, unknown } = await askPatiently(client, ids.slice(at, at + AT_ONCE), signal);
      if (unknown.length > 0) throw noSuchTasks(unknown);
      for (const task of tasks) {
        awaited.see(task);
        if (task.status === 'running') running += 1;
      }
    }
    awaited.running = running;
    if (isOver()) return;
    await line.draw(awaited.progress());
    const tookMs = performance.now() - began;
    await pause(Math.min(LONGEST_PAUSE_MS, Math.max(growingMs, SHARE * tookMs)), signal);
  }
}

async function askPatiently(
  client: Client,
  ids: readonly string[],
  signal: AbortSignal,
): Promise<TaskStatesReply> {
  const began = performance.now();
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS)) {
    try {
      return await client.taskStates(ids, { signal });
    } catch (error) {
      if (signal.aborted || !mayPass(error) || performance.now() - began > PATIENCE_MS) throw error;
      await pause(pauseMs, signal);
    }
  }
}

function noSuchTasks(ids: readonly string[]): ApiError {
  const more = ids.length === 1 ? '' : ` (and ${ids.length - 1} more)`;
  return new ApiError(404, 'not_found', `you have no task ${ids[0]}${more}`);
}
