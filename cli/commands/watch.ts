// `logs` and `wait`: what a task prints, and how it ends. A task goes on when its watcher leaves.

import type { Command } from 'commander';
import { ApiError, type Client, ConnectionError } from '../../client/client.ts';
import { duration, runTime } from '../../client/words.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { LogStream } from '../../shared/model/log-line.ts';
import { isTerminal } from '../../shared/model/task-states.ts';
import { withWaitOptions } from '../batch/submit-options.ts';
import { isForOne, type WaitManyOptions, waitMany } from '../batch/wait-many.ts';
import { withExamples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { positive, stream, wholeNumber } from '../options.ts';
import type { Run } from '../program.ts';
import { findTaskId, type Session } from '../session.ts';
import { plain } from '../table.ts';

interface LogsOptions {
  readonly follow?: boolean;
  readonly from?: number;
  readonly tail?: number;
  readonly stream?: LogStream;
  readonly attempt?: number;
}

export function addWatchCommands(program: Command, run: Run): void {
  program
    .command('logs')
    .description('print a task’s output (exit 0 however the task ended; see wait)')
    .argument('<task>')
    .option('-f, --follow', 'go on until the task has ended')
    .option('--from <n>', 'begin at this line', positive)
    .option('--tail <n>', 'begin so many lines before the end; with -f, 0 waits for what comes', wholeNumber)
    .option('--stream <name>', 'of stdout or stderr alone', stream)
    .option('--attempt <n>', 'of this attempt instead of the last one', positive)
    .action(run(logs));
  const waiting = withWaitOptions(
    program
      .command('wait')
      .description('wait until tasks have ended; exit 1 unless all completed')
      .argument('[tasks...]', 'their ids, or - for ids on standard input, one a line'),
  )
    .option('--tag <tag>', 'all own tasks with this tag, also those that have ended')
    .option('--user <name>', 'with --tag: of this user (admins)')
    .action(run(wait));
  withExamples(waiting, [
    { line: 'wait task-01jd8x2b9q3v5w7y8z0a1c2d3e', what: 'exit 0 if it completes, 1 if not' },
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

/** Each stream on its own: a line that came in pieces is whole again, whatever the other stream says in between. */
async function printLogs(session: Session, id: string, options: LogsOptions): Promise<void> {
  const { client, io } = session;
  const write = (stream: LogStream, text: string) => (stream === 'stderr' ? io.err(text) : io.out(text));
  let attempt = 0;
  const unended = new Map<LogStream, number>();
  const lines = client.taskLogs(id, {
    ...options,
    signal: io.signal,
    onAttempt: (number) => {
      if (attempt > 0) void session.remark(`attempt ${number}:`);
      attempt = number;
    },
    onReconnect: () => void session.remark('the connection was lost; trying again'),
  });
  for await (const line of lines) {
    if (session.json) {
      await io.out(`${JSON.stringify(line)}\n`);
      continue;
    }
    const { stream } = line;
    // A line that its attempt left without an end is not the beginning of the next attempt's.
    if ((unended.get(stream) ?? attempt) !== attempt) await write(stream, '\n');
    await write(stream, line.more ? line.line : `${line.line}\n`);
    if (line.more) unended.set(stream, attempt);
    else unended.delete(stream);
  }
}

async function wait(session: Session, options: WaitManyOptions, given: string[]): Promise<ExitCode> {
  const [only] = given;
  if (only === undefined || !isForOne(options, given)) return waitMany(session, options, given);
  return watchToEnd(session, await findTaskId(session.client, only), { output: false });
}

/** Stays until the task has ended, says how, and gives the exit code for it. */
export async function watchToEnd(
  session: Session,
  id: string,
  { output }: { output: boolean },
): Promise<ExitCode> {
  if (output) await printLogs(session, id, { follow: true });
  const task = await taskAtEnd(session.client, id, session.io.signal);
  if (session.json) await session.io.out(`${JSON.stringify(task, null, 2)}\n`);
  await session.remark(endInWords(task, session.io.now()));
  return task.status === 'completed' ? EXIT.ok : EXIT.failed;
}

export function endInWords(task: TaskBody, now: number): string {
  const ms = runTime(task, now);
  const took = ms === null ? '' : ` after ${duration(ms)}`;
  const why = task.status === 'failed' ? `: ${plain(task.message ?? task.reason ?? 'no reason given')}` : '';
  return `${task.task_id} ${task.status === 'cancelled' ? 'was cancelled' : task.status}${took}${why}`;
}

const FIRST_PAUSE_MS = 250;
const LAST_PAUSE_MS = 2_000;
/** An API that restarts is waited for; one that stays away is an error. */
const PATIENCE_MS = 60_000;

async function taskAtEnd(client: Client, id: string, signal: AbortSignal): Promise<TaskBody> {
  let lastAnswer: number | null = null;
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(pauseMs * 1.5, LAST_PAUSE_MS)) {
    try {
      const task = await client.getTask(id, { signal });
      if (isTerminal(task.status)) return task;
      lastAnswer = performance.now();
    } catch (error) {
      const away = error instanceof ConnectionError || (error instanceof ApiError && error.status >= 502);
      // One that has never answered may be no API at all: its caller hears of that at once.
      if (!away || lastAnswer === null || performance.now() - lastAnswer > PATIENCE_MS) throw error;
    }
    await pauseUnlessAborted(pauseMs, signal);
  }
}

function pauseUnlessAborted(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal.reason);
    };
    const timer = setTimeout(() => {
      signal.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
}
