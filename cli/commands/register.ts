// `register`: takes a machine into the cluster on which a runner waits. It is called at once and, while nobody answers,
// by the cluster until it joins; this command need not stay for that.

import type { Command } from 'commander';
import { isAway } from '../../client/client.ts';
import { pause } from '../../client/transport.ts';
import { megabytes, trim } from '../../client/words.ts';
import type { WorkerBody } from '../../shared/contracts/workers.ts';
import { withExamples } from '../examples.ts';
import { EXIT, type ExitCode } from '../exit.ts';
import { positive } from '../options.ts';
import type { Run } from '../program.ts';
import type { Session } from '../session.ts';
import { plain } from '../table.ts';

interface RegisterOptions {
  readonly wait?: boolean;
  /** Seconds. */
  readonly timeout: number;
}

const DEFAULT_TIMEOUT_SECONDS = 120;
const LOOK_AGAIN_MS = 500;

export function addRegisterCommand(program: Command, run: Run): void {
  const command = program
    .command('register')
    .description('take a machine into the cluster on which a runner waits (admins)')
    .argument('<worker>', 'what it is to be called')
    .argument('<address>', 'where its runner listens: host:port, or the host alone')
    .option('--wait', 'stay until it has joined; exit 1 when it has not in time')
    .option('--timeout <seconds>', 'for --wait', positive, DEFAULT_TIMEOUT_SECONDS)
    .action(run(register));
  withExamples(command, [
    {
      line: 'register worker-3 192.168.1.102:50052',
      what: 'call the runner there, now and until it answers',
    },
    { line: 'register worker-3 192.168.1.102 --wait', what: 'stay until it has joined' },
    { line: 'remove-worker worker-3', what: 'call it no longer' },
  ]);
}

async function register(
  session: Session,
  { wait = false, timeout }: RegisterOptions,
  id: string,
  address: string,
): Promise<ExitCode> {
  const { client, io } = session;
  const first = await client.registerWorker(id, address, { signal: io.signal });
  const worker = wait && !hasJoined(first) ? await untilJoined(session, first, timeout * 1_000) : first;
  await session.show({ json: worker, ids: [worker.worker_id], text: () => `${inWords(worker)}\n` });
  if (hasJoined(worker)) return EXIT.ok;
  await session.remark(
    `The cluster goes on calling it until it joins; "cloudai remove-worker ${worker.worker_id}" ends that.`,
  );
  return wait ? EXIT.failed : EXIT.ok;
}

/** The worker as it is then, or at the end of the time. An API that restarts meanwhile is waited for. */
async function untilJoined(session: Session, first: WorkerBody, ms: number): Promise<WorkerBody> {
  const { client, io } = session;
  const end = performance.now() + ms;
  let latest = first;
  await session.remark(inWords(latest));
  while (!hasJoined(latest) && performance.now() < end) {
    await pause(Math.min(LOOK_AGAIN_MS, Math.max(0, end - performance.now())), io.signal);
    try {
      const next = await client.getWorker(first.worker_id, { signal: io.signal });
      if (next.message !== null && next.message !== latest.message) await session.remark(inWords(next));
      latest = next;
    } catch (error) {
      if (!isAway(error)) throw error;
    }
  }
  return latest;
}

function hasJoined({ state }: WorkerBody): boolean {
  return state !== 'unreachable' && state !== 'down';
}

function inWords(worker: WorkerBody): string {
  const { worker_id, state, capacity } = worker;
  if (worker.message !== null) return `${worker_id} is ${state}: ${plain(worker.message)}.`;
  return `${worker_id} has joined and is ${state}: ${trim(capacity.cpu, 2)} cores, ${megabytes(capacity.memory)}.`;
}

/** Lines below a table of workers: why some of them are not there. */
export function workerNotes(workers: readonly WorkerBody[]): string {
  return workers
    .filter(({ message }) => message !== null)
    .map((worker) => `${inWords(worker)}\n`)
    .join('');
}
