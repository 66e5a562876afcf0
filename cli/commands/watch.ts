// `logs` and `wait`: what a task prints, and how it ends. A task goes on when its watcher leaves.

import type { Command } from 'commander';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { LogStream } from '../../shared/model/log-line.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
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

interface EndOptions {
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
  const ofWait = program
    .command('wait')
    .description('wait until tasks have ended; exit 1 unless all completed')
    .argument('<tasks...>')
    .option('--exit-code', 'give back the exit code of the one task’s container')
    .action(run(wait));
  withExamples(ofWait, [
    { line: 'wait 2d3e 7k4m', what: 'until both have ended' },
    { line: 'wait 2d3e --exit-code', what: 'give back what its container gave back' },
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

async function wait(session: Session, options: EndOptions, given: string[]): Promise<ExitCode> {
  if (options.exit_code && given.length > 1) {
    throw new CliError(EXIT.usage, '"--exit-code" is of one task', 'Wait for each by itself.');
  }
  const ids: string[] = [];
  for (const one of given) ids.push(await findTaskId(session.client, one));
  let exitCode: ExitCode = EXIT.ok;
  for (const id of ids) {
    const code = await watchToEnd(session, id, { output: false, ownExitCode: options.exit_code });
    if (code !== EXIT.ok) exitCode = code;
  }
  return exitCode;
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
