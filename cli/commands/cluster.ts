// `status`, `workers`, `cordon`, `uncordon`, `drain`, `remove-worker`: the machines of the cluster.

import type { Command } from 'commander';
import type { Client } from '../../client/client.ts';
import { attainmentWords, keptWords } from '../../client/queue-words.ts';
import { schedulerWords } from '../../client/scheduler-words.ts';
import { megabytes, trim } from '../../client/words.ts';
import type { AmountsBody, TelemetryReply, WorkerBody } from '../../shared/contracts/workers.ts';
import { TASK_STATES } from '../../shared/model/task.ts';
import { withExamples } from '../examples.ts';
import { inTypedWords } from '../option-names.ts';
import { seconds } from '../options.ts';
import type { Run } from '../program.ts';
import { liveStatus } from '../screen/live-status.ts';
import { findWorkerId, type Session } from '../session.ts';
import { plain } from '../table.ts';
import { usageTotalsText } from '../usage-view.ts';
import { paintState } from '../words.ts';
import { moveWords, running, standing, workerTable, workerText } from '../worker-view.ts';

export function addClusterCommands(program: Command, run: Run): void {
  withExamples(
    program
      .command('status')
      .description('the cluster at a glance; on a terminal live, until q or Ctrl-C')
      .option('--once', 'one picture instead of a live view')
      .action(run(status)),
    [
      { line: 'status', what: 'watch the cluster' },
      { line: 'status --once', what: 'how it is now' },
      { line: 'status --json', what: 'for scripts' },
    ],
  );
  withExamples(
    program
      .command('workers')
      .description('list the machines of the cluster, or show one of them')
      .argument('[worker]', 'all there is to know of this one')
      .action(run(workers)),
    [
      { line: 'workers', what: 'what each machine has, what is held and what is in use' },
      { line: 'workers worker-1', what: 'what it is, what its tasks may reach, and what is wrong with it' },
    ],
  );
  const maintain = (
    name: string,
    description: string,
    call: (client: Client, id: string) => Promise<WorkerBody>,
    what: string,
  ) =>
    withExamples(
      program
        .command(name)
        .description(description)
        .argument('<worker>')
        .action(
          run(async (session, _options: object, id: string) => {
            const worker = await call(session.client, await findWorkerId(session.client, id));
            await session.show({
              json: worker,
              ids: [worker.worker_id],
              text: () => `${worker.worker_id} is ${standing(worker)}; ${running(worker)}.\n`,
            });
          }),
        ),
      [{ line: `${name} worker-1`, what }],
    );
  maintain(
    'cordon',
    'give a worker no new tasks (admins)',
    (client, id) => client.cordonWorker(id),
    'before a repair: what runs there goes on, nothing new comes',
  );
  maintain(
    'uncordon',
    'give a worker tasks again (admins)',
    (client, id) => client.uncordonWorker(id),
    'the end of a cordon or a drain',
  );
  withExamples(
    program
      .command('drain')
      .description('let a worker finish and give it no new tasks (admins)')
      .argument('<worker>')
      .option(
        '--deadline <time>',
        'what still runs after it is moved elsewhere: 90s, 10m, 2h, 1d, 0 for now (default never)',
        seconds,
      )
      .action(run(drain)),
    [
      { line: 'drain worker-1', what: 'before its machine is taken away' },
      { line: 'drain worker-1 --deadline 10m', what: 'what still runs in ten minutes moves elsewhere' },
      { line: 'drain worker-1 --deadline 0', what: 'move everything now' },
    ],
  );
  withExamples(
    program
      .command('remove-worker')
      .description('forget a worker that is down for good, or never joined (admins)')
      .argument('<worker>')
      .action(
        run(async (session, _options: object, id: string) => {
          const worker = await findWorkerId(session.client, id);
          await session.client.removeWorker(worker);
          await session.show({
            json: { worker_id: worker, removed: true },
            text: () => `${worker} is removed.\n`,
          });
        }),
      ),
    [{ line: 'remove-worker worker-1', what: 'its machine will not come back' }],
  );
}

async function drain(session: Session, { deadline }: { deadline?: number }, id: string): Promise<void> {
  const { client, io } = session;
  const found = await findWorkerId(client, id);
  const worker = await client.drainWorker(found, { deadlineSeconds: deadline }).catch((error: unknown) => {
    // Scripts match the names of fields.
    throw session.json ? error : inTypedWords(error);
  });
  const moves = moveWords(worker, io.now());
  await session.show({
    json: worker,
    ids: [worker.worker_id],
    text: () =>
      `${worker.worker_id} is ${standing(worker)}; ${running(worker)}${moves === null ? '' : `, ${moves}`}.\n`,
  });
}

async function status(session: Session, { once }: { once?: boolean }): Promise<void> {
  const { openScreen } = session.io;
  if (openScreen && !once && !session.json && !session.quiet) return liveStatus(session, await openScreen());
  const telemetry = await session.client.telemetry();
  await session.show({ json: telemetry, text: () => statusText(session, telemetry) });
}

async function workers(session: Session, _options: object, id?: string): Promise<void> {
  if (id !== undefined) {
    const worker = await session.client.getWorker(await findWorkerId(session.client, id));
    return session.show({ json: worker, ids: [worker.worker_id], text: () => workerText(session, worker) });
  }
  const found = await session.client.listWorkers();
  await session.show({
    json: { workers: found },
    ids: found.map(({ worker_id }) => worker_id),
    text: () =>
      found.length === 0 ? 'No workers. Start a runner to add this machine.\n' : workerTable(session, found),
  });
}

function statusText(session: Session, telemetry: TelemetryReply): string {
  const { workers_by_state, tasks_by_state, totals, queue_depth, placements_per_second: placing } = telemetry;
  const used = usageTotalsText(totals.usage);
  // An API of an earlier release does not say.
  const deadlines = telemetry.sla ? attainmentWords(telemetry.sla) : null;
  const policy =
    telemetry.scheduler === undefined ? null : plain(schedulerWords(telemetry.scheduler, session.io.now()));
  const kept = keptWords(telemetry.retention_days);
  const count = (name: string, number: number) =>
    number > 0 ? `${paintState(name, session.io.color)(`${number} ${name}`)}` : '';
  const list = (parts: string[]) => parts.filter((part) => part !== '').join(', ') || 'none';
  const share = (of: keyof AmountsBody, text: (value: number) => string) =>
    `${text(totals.reserved[of])} of ${text(totals.capacity[of])}`;
  const lines: [string, string][] = [
    ['cluster', session.url],
    ['workers', list(Object.entries(workers_by_state).map(([state, number]) => count(state, number)))],
    ['tasks', list(TASK_STATES.map((state) => count(state, tasks_by_state[state])))],
    ['waiting', `${queue_depth}${placing ? `, ${trim(placing)} placed each second` : ''}`],
    ...(deadlines === null ? [] : [['in time', deadlines] as [string, string]]),
    ...(policy === null ? [] : [['policy', policy] as [string, string]]),
    ...(kept === null ? [] : [['keeps', kept] as [string, string]]),
    ['cores', `${share('cpu', (value) => trim(value, 2))} held`],
    ['memory', `${share('memory', megabytes)} held`],
    ...(totals.capacity.gpu > 0 ? [['GPUs', `${share('gpu', String)} held`] as [string, string]] : []),
    ['storage', `${share('storage', megabytes)} held`],
    ...(used === null ? [] : [['in use', used] as [string, string]]),
  ];
  const head = lines.map(([name, value]) => `${name.padEnd(8)} ${value}\n`).join('');
  return telemetry.workers.length === 0 ? head : `${head}\n${workerTable(session, telemetry.workers)}`;
}
