// `logs` and `wait`: what a task prints, and how it ends. A task goes on when its watcher leaves.

import type { Command } from 'commander';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { LogStream } from '../../shared/model/log-line.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import { withWaitOptions } from '../batch/submit-options.ts';
import { isForOne, type WaitManyOptions, waitMany } from '../batch/wait-many.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { followTask } from '../follow/follow-task.ts';
import { LineWriter } from '../follow/line-writer.ts';
import { PlainView } from '../follow/plain-view.ts';
import { TaskFeed } from '../follow/task-feed.ts';
import { exitCodeOf } from '../follow/verdict.ts';
import { positive, stream, wholeNumber } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly from?: number;
  readonly tail?: number;
  readonly stream?: LogStream;
  readonly attempt?: number;
}

interface WaitOptions extends WaitManyOptions {
  readonly exit_code?: boolean;
}

export function addWatchCommands(program: Command, run: Run): void {
  const ofLogs = program
    .command('logs')
    .description('print a task’s output (exit 0 however the task ended; see wait)')
    .argument('<task>')
    .option('-f, --follow', 'go on until the task has ended')
    .option('--from <n>', 'begin at this line', positive)
    .option('--tail <n>', 'begin so many lines before the end; with -f, 0 waits for what comes', wholeNumber)
    .option('--stream <name>', 'of stdout or stderr alone', stream)
    .option('--attempt <n>', 'of this attempt instead of the last one', positive)
    .action(run(logs));
  withExamples(ofLogs, [
    { line: 'logs 2d3e', what: 'what the last attempt printed; any beginning or end of an id will do' },
    { line: 'logs 2d3e -f', what: 'and what it will print' },
    { line: 'logs 2d3e --tail 100 --stream stderr', what: 'the last hundred lines of its errors' },
    { line: 'logs 2d3e --attempt 1', what: 'of an attempt before the last' },
  ]);
  const waiting = withWaitOptions(
    program
      .command('wait')
      .description('wait until tasks have ended; exit 1 unless all completed')
      .argument('[tasks...]', 'their ids, or - for ids on standard input, one a line'),
  )
    .option('--tag <tag>', 'all own tasks with this tag, also those that have ended')
    .option('--user <user>', 'with --tag: of this user (admins)')
    .option('--exit-code', 'of one task: give back the container’s own exit code')
    .action(run(wait));
  withExamples(waiting, [
    { line: 'wait task-01jd8x2b9q3v5w7y8z0a1c2d3e', what: 'exit 0 if it completes, 1 if not' },
    { line: 'wait 2d3e --exit-code', what: 'give back what its container gave back' },
    {
      line: 'wait --tag sweep --fail-fast --cancel-rest',
      what: 'all with a tag; the first that fails ends all',
    },
    { line: 'wait - --timeout 3600', what: 'ids from standard input, for an hour at most' },
  ]);
}

async function logs(session: Session, options: LogsOptions, given: string): Promise<void> {
  const { client, io } = session;
  const id = await findTaskId(client, given);
  if (!options.follow && !session.json && !session.quiet) {
    const task = await client.getTask(id, { signal: io.signal });
    if (task.attempts.length === 0) {
      await session.remark(`${id} is ${task.status}: there is no output yet. Follow it with -f.`);
    }
  }
  await printLogs(session, id, options);
}

async function printLogs(session: Session, id: string, options: LogsOptions): Promise<void> {
  const { io } = session;
  const writer = new LineWriter(io);
  let attempt = 0;
  const lines = session.client.taskLogs(id, {
    ...options,
    signal: io.signal,
    onAttempt: (number) => {
      if (attempt > 0) void session.remark(`attempt ${number}:`);
      attempt = number;
    },
    onReconnect: () => void session.remark('the connection was lost; trying again'),
  });
  for await (const line of lines) {
    if (session.json) await io.out(`${JSON.stringify(line)}\n`);
    else await writer.write(line, attempt);
  }
}

async function wait(session: Session, options: WaitOptions, given: string[]): Promise<ExitCode> {
  const [only] = given;
  if (only === undefined || !isForOne(options, given)) {
    if (!options.exit_code) return waitMany(session, options, given);
    const advice = 'Wait for each by itself, without --tag, --fail-fast and --timeout.';
    throw new CliError(EXIT.usage, '"--exit-code" is of one task', advice);
  }
  const id = await findTaskId(session.client, only);
  return watchToEnd(session, id, { output: false, ownExitCode: options.exit_code });
}

export interface WatchOptions {
  /** Print what it prints. */
  readonly output: boolean;
  /** Give back the exit code of its container. */
  readonly ownExitCode?: boolean | undefined;
}

/** Stays until the task has ended, says how, and gives the exit code for it. */
export async function watchToEnd(
  session: Session,
  id: string,
  { output, ownExitCode = false }: WatchOptions,
): Promise<ExitCode> {
  const view = new PlainView(session, { states: false, output: true });
  const task = output ? await followTask(session, id, view) : await taskAtEnd(session, id, view);
  if (session.json) await session.io.out(`${JSON.stringify(task, null, 2)}\n`);
  await view.end(task);
  return exitCodeOf(task, ownExitCode);
}

async function taskAtEnd(session: Session, id: string, view: PlainView): Promise<TaskBody> {
  const feed = await TaskFeed.open(session, id, { connection: (lost) => view.connection(lost) });
  try {
    return await feed.until(({ status }) => isTerminal(status));
  } finally {
    feed.close();
  }
}
