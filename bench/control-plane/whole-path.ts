// (b) The whole way of a task but its container: API, queue, scheduler, runners with the scripted runtime, committed
// result; all real processes. Beside it what the pieces below cost alone: a queue, a worker that does nothing, a store.

import { Queue, Worker } from 'bullmq';
import { Redis } from 'ioredis';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import { finishTask } from '../../shared/model/task-life.ts';
import { startCluster } from '../../test/support/cluster.ts';
import { redisUrl, TEST_IMAGE, tempDir, uniqueName } from '../../test/support/servers.ts';
import { makeTask } from '../../test/support/tasks.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { costOf } from '../live/process-cost.ts';

const RUNNERS = 2;
/** Submissions under way at a time. */
const SENDERS = 4;

export interface WholePath {
  readonly tasksPerSecond: number;
  /** Of each process. */
  readonly cpuMsPerTask: Readonly<Record<string, number>>;
}

export async function wholePath(count: number, batch: number): Promise<WholePath> {
  const env = { RUNTIME: 'scripted', WORKER_CPUS: '4096', WORKER_MEMORY_MB: '16777216', NETWORK_SLOTS: '0' };
  const cluster = await startCluster({
    runners: Array.from({ length: RUNNERS }, (_, n) => ({ id: `w${n}`, env })),
    // All by one user, as fast as they go.
    env: { LOG_LEVEL: 'warn', RATE_LIMIT_WRITES: '0' },
  });
  const store = await openSqliteStore(`${cluster.dataDir}/cloudai.db`);
  try {
    await cluster.signIn('alice');
    const parts = {
      api: cluster.api,
      scheduler: cluster.scheduler,
      ...Object.fromEntries(cluster.runners.map((runner, n) => [`runner ${n + 1}`, runner])),
    };
    const costs = async () =>
      Object.fromEntries(
        await Promise.all(
          Object.entries(parts).map(async ([name, { pid }]) => [name, (await costOf(pid ?? 0)).cpu] as const),
        ),
      );
    const body = { docker_image: TEST_IMAGE, command: 'exit 0', cpu_required: 0.1, memory_required: 16 };
    const before = await costs();
    const from = performance.now();
    let sent = 0;
    const send = async () => {
      while (sent < count) {
        const size = Math.min(batch, count - sent);
        sent += size;
        const reply =
          size === 1
            ? await cluster.call('POST', '/api/tasks', body)
            : await cluster.call('POST', '/api/tasks/batch', {
                tasks: Array.from({ length: size }, () => body),
              });
        if (reply.status !== 201) throw new Error(`refused: ${JSON.stringify(reply.body)}`);
      }
    };
    await Promise.all(Array.from({ length: SENDERS }, send));
    await waitFor(async () => (await store.tasks.countByState()).completed === count, {
      what: `${count} results`,
      deadlineMs: 600_000,
      everyMs: 10,
    });
    const seconds = (performance.now() - from) / 1_000;
    const after = await costs();
    const cpuMsPerTask = Object.fromEntries(
      Object.keys(parts).map((name) => [name, (((after[name] ?? 0) - (before[name] ?? 0)) * 1_000) / count]),
    );
    return { tasksPerSecond: count / seconds, cpuMsPerTask };
  } finally {
    await store.close();
    await cluster.stop();
  }
}

/** One process: insert, `queue.add`, a worker that takes it at once and commits the end. */
export async function barePath(count: number): Promise<WholePath> {
  const dir = await tempDir();
  const store = await openSqliteStore(`${dir.path}/bare.db`);
  const connection = new Redis(redisUrl, { maxRetriesPerRequest: null });
  const prefix = uniqueName('bench-bare');
  const queue = new Queue('bare', { connection, prefix });
  const tasks = new Map(
    Array.from({ length: count }, () => {
      const task = makeTask();
      return [task.id, task] as const;
    }),
  );
  let [done, ended] = [0, () => {}];
  const all = new Promise<void>((resolve) => {
    ended = resolve;
  });
  const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
  const worker = new Worker(
    'bare',
    async ({ name }) => {
      const task = tasks.get(name);
      if (!task) throw new Error(`no task ${name}`);
      const running = { ...task, state: 'running' as const, workerId: 'w' };
      const step = finishTask(running, { attempt: 1, workerId: 'w', now: Date.now(), dice: 0, outcome });
      if (!step.ok || !(await store.tasks.commit(step.task))) throw new Error('not committed');
      done += 1;
      if (done === count) ended();
    },
    { connection, prefix, concurrency: 50 },
  );
  try {
    await worker.waitUntilReady();
    const before = process.cpuUsage();
    const from = performance.now();
    const left = [...tasks.values()];
    const send = async () => {
      for (let task = left.pop(); task; task = left.pop()) {
        await store.tasks.insert([task]);
        await queue.add(task.id, {}, { jobId: task.id, removeOnComplete: true });
      }
    };
    await Promise.all([all, ...Array.from({ length: 50 }, send)]);
    const seconds = (performance.now() - from) / 1_000;
    const { user, system } = process.cpuUsage(before);
    return {
      tasksPerSecond: count / seconds,
      cpuMsPerTask: { 'one process': (user + system) / 1_000 / count },
    };
  } finally {
    await worker.close();
    await queue.obliterate({ force: true });
    await queue.close();
    connection.disconnect();
    await store.close();
    await dir.remove();
  }
}
