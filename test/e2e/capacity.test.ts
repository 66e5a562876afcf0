// Fifty tasks over two runners of different size on one machine: all run, none is ever over-committed. The proof
// is the record: every attempt says where and when it held what.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskBody, TaskListReply } from '../../shared/contracts/http.ts';
import { type Cluster, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE, uniqueName } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

const small = { id: uniqueName('small-'), cpu: 1, memory: 512, gpu: 0 };
const large = { id: uniqueName('large-'), cpu: 3, memory: 1_536, gpu: 2 };
const TASKS = 50;

let cluster: Cluster;

beforeAll(async () => {
  cluster = await startCluster({
    runners: [small, large].map(({ id, cpu, memory, gpu }) => ({
      id,
      env: { WORKER_CPUS: String(cpu), WORKER_MEMORY_MB: String(memory), WORKER_GPUS: String(gpu) },
    })),
  });
  await cluster.signIn('alice');
});
afterAll(() => cluster?.stop());

describe('fifty tasks over two workers', () => {
  it('all complete, and no worker ever holds more than it has', async () => {
    const bodies = Array.from({ length: TASKS }, (_, n) => ({
      docker_image: TEST_IMAGE,
      command: `echo task ${n}; sleep 0.${n % 5}`,
      cpu_required: [0.25, 0.5, 1, 2][n % 4],
      memory_required: [64, 128, 256, 512][n % 4],
      gpu_required: n % 10 === 0 ? 1 : 0,
      priority: n % 10,
    }));
    const reply = await cluster.call<{ tasks: TaskBody[] }>('POST', '/api/tasks/batch', { tasks: bodies });
    expect(reply.status).toBe(201);
    expect(reply.body.tasks).toHaveLength(TASKS);

    const tasks = await waitFor(
      async () => {
        const { body } = await cluster.call<TaskListReply>('GET', '/api/tasks?limit=100');
        return body.tasks.every(({ finished_at }) => finished_at !== null) ? body.tasks : null;
      },
      { what: 'all tasks to end', deadlineMs: 150_000, everyMs: 250 },
    );
    expect(tasks).toHaveLength(TASKS);
    expect(tasks.filter(({ status }) => status !== 'completed')).toEqual([]);
    for (const worker of [small, large]) {
      expect(tasks.some(({ worker_id }) => worker_id === worker.id)).toBe(true);
      const peak = peakOf(tasks.filter(({ worker_id }) => worker_id === worker.id));
      expect(peak.cpu).toBeLessThanOrEqual(worker.cpu);
      expect(peak.memory).toBeLessThanOrEqual(worker.memory);
      expect(peak.gpu).toBeLessThanOrEqual(worker.gpu);
    }
    // The test would not notice much if tasks had run one by one.
    expect(peakOf(tasks.filter(({ worker_id }) => worker_id === large.id)).tasks).toBeGreaterThan(1);
    expect(sharedGpu(tasks)).toBeNull();
    for (const [n, task] of [...reply.body.tasks.entries()].filter(([n]) => n % 10 === 0)) {
      expect(await cluster.logs(task.task_id)).toBe(`task ${n}\n`);
    }
  });
});

interface Held {
  tasks: number;
  cpu: number;
  memory: number;
  gpu: number;
}

/** The most that was held at once, from assignment to end of every attempt. */
function peakOf(tasks: readonly TaskBody[]): Held {
  const changes = tasks.flatMap((task) =>
    task.attempts.flatMap(({ assigned_at, finished_at }) => [
      { at: Date.parse(assigned_at), sign: 1, task },
      { at: Date.parse(finished_at ?? ''), sign: -1, task },
    ]),
  );
  // At the same millisecond what ends goes first: the end was committed before the freed room was given away.
  changes.sort((a, b) => a.at - b.at || a.sign - b.sign);
  const held: Held = { tasks: 0, cpu: 0, memory: 0, gpu: 0 };
  const peak: Held = { ...held };
  for (const { sign, task } of changes) {
    held.tasks += sign;
    held.cpu += sign * task.cpu_required;
    held.memory += sign * task.memory_required;
    held.gpu += sign * task.gpu_required;
    for (const key of Object.keys(peak) as (keyof Held)[]) peak[key] = Math.max(peak[key], held[key]);
  }
  return peak;
}

/** Two tasks that held one device of one worker at the same time, or null. */
function sharedGpu(tasks: readonly TaskBody[]): string | null {
  const uses = tasks.flatMap((task) =>
    task.attempts.flatMap((attempt) =>
      attempt.gpu_ids.map((gpu) => ({
        device: `${attempt.worker_id}/${gpu}`,
        from: Date.parse(attempt.started_at ?? ''),
        to: Date.parse(attempt.finished_at ?? ''),
      })),
    ),
  );
  expect(uses.length).toBeGreaterThan(0);
  for (const [n, a] of uses.entries()) {
    for (const b of uses.slice(n + 1)) {
      if (a.device === b.device && a.from < b.to && b.from < a.to) return a.device;
    }
  }
  return null;
}
