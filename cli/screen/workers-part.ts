// The machines of the cluster, one a line, with bars as long as there is room. Pure.

import { duration, megabytes, trim } from '../../client/words.ts';
import type { AmountsBody, WorkerBody } from '../../shared/contracts/workers.ts';
import { type Column, displayWidth, renderTable } from '../table.ts';
import { paintState, unseen } from '../words.ts';
import { bar, fitting, type Look, paintShare, share } from './glyphs.ts';

/** Widths of bars that say something, the best first. */
const WIDTHS = [10, 8, 6, 5, 4];

/** A heading and a line for each; the columns are the same for all. */
export function workerLines(workers: readonly WorkerBody[], columns: number, look: Look): string[] {
  const wanted = [
    ...WIDTHS.map((width) => columnsOf(workers, width, look)),
    ...WIDTHS.map((width) => columnsOf(workers, width, look).filter(isKept(3))),
    ...WIDTHS.map((width) => columnsOf(workers, width, look).filter(isKept(1))),
    ...WIDTHS.map((width) => columnsOf(workers, width, look).filter(isKept(0))),
    columnsOf(workers, 0, look),
  ];
  const found = fitting(wanted, (some) => {
    // Colour takes no columns, so it is left out where columns are counted.
    const bare = some.map(({ title, cell, ...rest }) => ({
      ...rest,
      title,
      cell,
      paint: (text: string) => text,
    }));
    const [heading = '', ...rows] = renderTable(workers, bare, null).split('\n');
    return [heading, ...rows].every((line) => displayWidth(line) <= columns);
  });
  return renderTable(workers, found, columns).trimEnd().split('\n');
}

const isKept =
  (upTo: number) =>
  ({ dispensable }: Column<WorkerBody>) =>
    (dispensable ?? 0) <= upTo;

function columnsOf(workers: readonly WorkerBody[], width: number, look: Look): Column<WorkerBody>[] {
  const barred = (part: number, text: string) => (width > 0 ? `${bar(part, width, look)} ${text}` : text);
  const held = (
    title: string,
    of: keyof AmountsBody,
    text: (value: number) => string,
    dispensable: number,
  ): Column<WorkerBody> => {
    const part = ({ reserved, capacity }: WorkerBody) => share(reserved[of], capacity[of]);
    return {
      title,
      cell: (worker) => barred(part(worker), `${text(worker.reserved[of])} / ${text(worker.capacity[of])}`),
      paint: (cell, worker) => paintShare(part(worker), look)(cell),
      ...(dispensable > 0 ? { dispensable } : {}),
    };
  };
  const used = (
    title: string,
    part: (worker: WorkerBody) => number | null,
    dispensable: number,
  ): Column<WorkerBody> => ({
    title,
    cell: (worker) => {
      const found = part(worker);
      return found === null ? '' : barred(found, `${trim(found * 100, 0)}%`);
    },
    paint: (cell, worker) => paintShare(part(worker) ?? 0, look)(cell),
    dispensable,
  });
  const hasGpus = workers.some(({ capacity }) => capacity.gpu > 0);
  const hasRealGpus = workers.some(({ usage }) => (usage?.gpus.length ?? 0) > 0);
  return [
    { title: 'WORKER', cell: ({ worker_id }) => worker_id, min: 8 },
    {
      title: 'STATE',
      cell: ({ state }) => state,
      paint: (text, { state }) => paintState(state, look.color)(text),
    },
    {
      title: 'TASKS',
      cell: ({ tasks }) => String(tasks.assigned + tasks.running),
      align: 'right',
      dispensable: 1,
    },
    held('CORES HELD', 'cpu', (value) => trim(value, 2), 0),
    held('MEMORY HELD', 'memory', megabytes, 2),
    ...(hasGpus ? [held('GPUS HELD', 'gpu', String, 3)] : []),
    used('CPU USED', ({ usage }) => (usage === null ? null : usage.cpu_percent / 100), 3),
    used(
      'MEM USED',
      ({ usage, fingerprint }) =>
        usage === null || fingerprint === null ? null : share(usage.memory_used, fingerprint.memory),
      3,
    ),
    ...(hasRealGpus ? [used('GPU USED', gpuUsed, 4)] : []),
    {
      title: 'SEEN',
      cell: ({ heartbeat_age_seconds: seconds, state }) =>
        seconds === null ? unseen(state) : `${duration(Math.floor(seconds) * 1_000).replace('.0', '')} ago`,
      align: 'right',
      dispensable: 5,
    },
  ];
}

function gpuUsed({ usage }: WorkerBody): number | null {
  const gpus = usage?.gpus ?? [];
  if (gpus.length === 0) return null;
  return gpus.reduce((sum, gpu) => sum + gpu.utilization_percent, 0) / gpus.length / 100;
}

/** When not all can be shown: what is not as it should be first, then the busiest. */
export function pickWorkers(workers: readonly WorkerBody[], most: number): readonly WorkerBody[] {
  if (workers.length <= most) return workers;
  const rank = (worker: WorkerBody) =>
    (worker.state === 'ready' ? 0 : 2) + share(worker.reserved.cpu, worker.capacity.cpu);
  return [...workers].sort((a, b) => rank(b) - rank(a)).slice(0, most);
}
