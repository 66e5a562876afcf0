// Workers as people read them in a terminal. No calls here.

import { age, byteRate, clockOff, duration, megabytes, trim } from '../client/words.ts';
import { gpuWords, mountWords, taskNetworkWords } from '../client/worker-words.ts';
import type { UsageBody } from '../shared/contracts/usage.ts';
import type { AmountsBody, WorkerBody } from '../shared/contracts/workers.ts';
import { workerNotes } from './commands/register.ts';
import { typedLabels } from './labels.ts';
import type { Session } from './session.ts';
import { plain } from './table.ts';
import { paintState, unseen } from './words.ts';

/** All there is to know of one. */
export function workerText(session: Session, worker: WorkerBody): string {
  const { capacity, reserved, fingerprint: found, usage } = worker;
  const now = session.io.now();
  const share = (of: keyof AmountsBody, text: (value: number) => string) =>
    `${text(reserved[of])} of ${text(capacity[of])} held`;
  const off = clockOff(worker.clock_offset_ms);
  // An API of an earlier release does not say.
  const troubles = worker.troubles ?? [];
  const facts: [string, string | null][] = [
    ['worker', worker.worker_id],
    ['state', paintState(worker.state, session.io.color)(plain(standing(worker)))],
    ['why', troubles.length > 0 ? null : worker.message],
    ...troubles.map(({ message, since }): [string, string] => ['why', `${message}, since ${since}`]),
    ['drain', moveWords(worker, now)],
    ['address', worker.address],
    ['seen', seenWords(worker)],
    ['clock', off && `${off} of the cluster's, which is used`],
    [found ? 'joined' : 'registered', `${worker.registered_at} (${age(worker.registered_at, now)} ago)`],
    ['labels', typedLabels(worker.labels) || null],
    ['mounts', mountWords(worker.mounts)],
    ['tasks', `${worker.tasks.running} running, ${worker.tasks.assigned} about to start`],
    ['cores', share('cpu', (value) => trim(value, 2))],
    ['memory', share('memory', megabytes)],
    ['GPUs', capacity.gpu > 0 ? share('gpu', String) : null],
    ['storage', share('storage', megabytes)],
    ['in use', usage && usedWords(usage)],
    ...(found ? machineFacts(found, capacity) : []),
  ];
  return (
    facts
      .filter((fact): fact is [string, string] => fact[1] !== null)
      // The state alone carries colour; all else may hold what a machine calls itself.
      .map(([name, value]) => `${name.padEnd(11)} ${name === 'state' ? value : plain(value)}\n`)
      .join('')
  );
}

function seenWords({ heartbeat_age_seconds: seconds, state }: WorkerBody): string {
  return seconds === null ? unseen(state) : `${duration(seconds * 1_000)} ago`;
}

function usedWords({ gpus, ...usage }: UsageBody): string {
  return [
    `${trim(usage.cpu_percent, 0)}% of its cores`,
    `${megabytes(usage.memory_used)} memory`,
    `${megabytes(usage.storage_used)} disk`,
    `network ${byteRate(usage.network_receive_rate)} in, ${byteRate(usage.network_transmit_rate)} out`,
    ...gpus.map(
      ({ id, utilization_percent, memory_used, memory_total }) =>
        `${trim(utilization_percent, 0)}% of GPU ${id} with ${megabytes(memory_used)} of ${megabytes(memory_total)}`,
    ),
  ].join(', ');
}

/** What its runner found there. */
function machineFacts(
  found: NonNullable<WorkerBody['fingerprint']>,
  capacity: AmountsBody,
): [string, string | null][] {
  return [
    ['network', taskNetworkWords(found)],
    ['system', `${found.os}, ${found.arch}`],
    [
      'processor',
      `${found.cpu_model || 'unknown'}, ${found.cpu_cores} ${found.cpu_cores === 1 ? 'core' : 'cores'}`,
    ],
    ['devices', capacity.gpu > 0 ? gpuWords(found.gpu_models, capacity.gpu) : null],
    ['runtime', `${found.runtime} ${found.runtime_version}`],
    ['CloudAI', found.version],
  ];
}

export function workerTable(session: Session, all: readonly WorkerBody[]): string {
  const held = (of: keyof AmountsBody, text: (value: number) => string) => (worker: WorkerBody) =>
    `${text(worker.reserved[of])} / ${text(worker.capacity[of])}`;
  const table = session.table<WorkerBody>(all, [
    { title: 'WORKER', cell: ({ worker_id }) => worker_id, min: 10 },
    {
      title: 'STATE',
      cell: ({ state }) => state,
      paint: (text, { state }) => paintState(state, session.io.color)(text),
    },
    { title: 'TASKS', cell: ({ tasks }) => String(tasks.assigned + tasks.running), align: 'right' },
    { title: 'CORES', cell: held('cpu', (value) => trim(value, 2)), align: 'right' },
    { title: 'MEMORY', cell: held('memory', megabytes), align: 'right' },
    ...(all.some(({ capacity }) => capacity.gpu > 0)
      ? [{ title: 'GPUS', cell: held('gpu', String), align: 'right' as const }]
      : []),
    {
      title: 'CPU USED',
      cell: ({ usage }) => (usage === null ? '' : `${trim(usage.cpu_percent, 0)}%`),
      align: 'right',
      dispensable: 2,
    },
    ...(all.some(({ usage }) => usage !== null && usage.gpus.length > 0)
      ? [{ title: 'GPU USED', cell: gpuUsed, align: 'right' as const, dispensable: 4 }]
      : []),
    {
      title: 'NETWORK IN',
      cell: ({ usage }) => (usage === null ? '' : byteRate(usage.network_receive_rate)),
      align: 'right',
      dispensable: 6,
    },
    {
      title: 'OUT',
      cell: ({ usage }) => (usage === null ? '' : byteRate(usage.network_transmit_rate)),
      align: 'right',
      dispensable: 5,
    },
    {
      title: 'SEEN',
      cell: seenWords,
      align: 'right',
      dispensable: 1,
    },
    { title: 'ADDRESS', cell: ({ address }) => address, min: 8, dispensable: 3 },
    ...(all.some(({ labels }) => Object.keys(labels).length > 0)
      ? [{ title: 'LABELS', cell: ({ labels }: WorkerBody) => typedLabels(labels), min: 8, dispensable: 4 }]
      : []),
  ]);
  const now = session.io.now();
  const moves = all.map((worker) => {
    const words = moveWords(worker, now);
    return words === null ? '' : `${plain(worker.worker_id)} is ${worker.state}: ${words}.\n`;
  });
  return `${table}${workerNotes(all)}${moves.join('')}`;
}

function gpuUsed({ usage }: WorkerBody): string {
  const gpus = usage?.gpus ?? [];
  if (gpus.length === 0) return '';
  return `${trim(gpus.reduce((sum, gpu) => sum + gpu.utilization_percent, 0) / gpus.length, 0)}%`;
}

/** Null of a worker that is not draining, has no deadline, or has nothing to move. */
export function moveWords({ drain_until: until, tasks }: WorkerBody, now: number): string | null {
  // An API of an earlier release does not say.
  if (until == null || tasks.assigned + tasks.running === 0) return null;
  const left = Date.parse(until) - now;
  return left <= 0
    ? 'what still runs there is being moved elsewhere'
    : `what still runs in ${duration(left)} is moved elsewhere`;
}

/** Of an unhealthy worker also what an admin has set. */
export function standing({ state, maintenance }: WorkerBody): string {
  const isSet = state === 'unhealthy' && maintenance != null && maintenance !== 'none';
  return isSet ? `${maintenance}, and ${state}` : state;
}

export function running({ tasks }: WorkerBody): string {
  const number = tasks.assigned + tasks.running;
  return number === 0 ? 'no tasks run there' : number === 1 ? '1 task is there' : `${number} tasks are there`;
}
