// What is there after the end and should not be: containers, volumes and slots on the hosts, entries and locks in Redis,
// holds in the record.

import type Docker from 'dockerode';
import type { Redis } from 'ioredis';
import { LABEL_TASK } from '../../shared/adapters/docker/container-settings.ts';
import { LABEL_SLOT } from '../../shared/adapters/docker/pause-containers.ts';
import { REDIS_PREFIX, SLOTS, type Stage } from './stage.ts';

/** In words; empty: nothing is left. */
export async function findLeftovers(stage: Stage): Promise<string[]> {
  const found = await Promise.all([
    ...stage.hosts.map(({ workerId, host }) => onEngine(workerId, host.docker.client)),
    stage.redis.run(inRedis),
    inRecord(stage),
  ]);
  return found.flat();
}

async function onEngine(workerId: string, docker: Docker): Promise<string[]> {
  const found: string[] = [];
  const containers = await docker.listContainers({ all: true });
  for (const { Id, Labels, State } of containers) {
    const task = Labels[LABEL_TASK];
    if (task) found.push(`${workerId}: container ${Id.slice(0, 12)} of ${task} is ${State}`);
    else if (LABEL_SLOT in Labels && State !== 'running') found.push(`${workerId}: a slot is ${State}`);
  }
  const slots = containers.filter(({ Labels }) => LABEL_SLOT in Labels).length;
  // Two kinds of network, each with as many.
  if (slots > 2 * SLOTS) found.push(`${workerId}: ${slots} slots where ${SLOTS} are kept`);
  const { Volumes } = await docker.listVolumes();
  for (const { Name } of Volumes ?? []) found.push(`${workerId}: volume ${Name}`);
  return found;
}

const LISTS = ['wait', 'active', 'paused'];
const SETS = ['prioritized', 'delayed', 'waiting-children', 'failed', 'completed', 'stalled'];

async function inRedis(client: Redis): Promise<string[]> {
  const found: string[] = [];
  let cursor = '0';
  do {
    const [next, keys] = await client.scan(cursor, 'MATCH', `${REDIS_PREFIX}:*`, 'COUNT', 1_000);
    cursor = next;
    for (const key of keys) {
      const end = key.slice(key.lastIndexOf(':') + 1);
      if (end === 'lock') found.push(`Redis: lock ${key}`);
      if (LISTS.includes(end) && (await client.type(key)) === 'list') {
        found.push(`Redis: ${await client.llen(key)} entries in ${key}`);
      }
      if (SETS.includes(end)) found.push(`Redis: entries in ${key}`);
    }
  } while (cursor !== '0');
  return found;
}

async function inRecord(stage: Stage): Promise<string[]> {
  const { tasks_by_state, workers, queue_depth } = await stage.telemetry();
  const found: string[] = [];
  const unfinished = tasks_by_state.queued + tasks_by_state.assigned + tasks_by_state.running;
  if (unfinished > 0) found.push(`record: ${JSON.stringify(tasks_by_state)}`);
  if (queue_depth > 0) found.push(`record: queue depth ${queue_depth}`);
  for (const { worker_id, reserved, tasks } of workers) {
    if (reserved.cpu > 0 || tasks.assigned + tasks.running > 0) {
      found.push(`record: ${worker_id} holds ${JSON.stringify({ reserved, tasks })}`);
    }
  }
  return found;
}
