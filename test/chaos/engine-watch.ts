// Looks at the engines of all hosts while a run goes on: which task containers run where. Takes nobody's word but
// theirs.

import { setTimeout as delay } from 'node:timers/promises';
import type Docker from 'dockerode';
import { LABEL_ATTEMPT, LABEL_TASK } from '../../shared/adapters/docker/container-settings.ts';
import type { HostSight } from './evidence.ts';

const LOOK_EVERY_MS = 250;
const ANSWER_MS = 2_000;

export interface WatchedEngine {
  readonly name: string;
  readonly docker: Docker;
}

/** Until the signal comes. An engine that is away is passed over. Sights like the one before are left out. */
export async function watchEngines(
  engines: readonly WatchedEngine[],
  signal: AbortSignal,
): Promise<HostSight[]> {
  const start = performance.now();
  const sights: HostSight[] = [];
  await Promise.all(
    engines.map(async ({ name, docker }) => {
      let last = '';
      while (!signal.aborted) {
        const running = await runningTasks(docker).catch(() => null);
        const key = JSON.stringify(running);
        if (running && key !== last) {
          sights.push({ host: name, atMs: Math.round(performance.now() - start), running });
        }
        last = key;
        await delay(LOOK_EVERY_MS, undefined, { signal }).catch(() => undefined);
      }
    }),
  );
  return sights;
}

async function runningTasks(docker: Docker): Promise<HostSight['running']> {
  const found = await docker.listContainers({
    filters: { label: [LABEL_TASK], status: ['running'] },
    abortSignal: AbortSignal.timeout(ANSWER_MS),
  });
  return found.map(({ Labels }) => ({
    taskId: Labels[LABEL_TASK] ?? '',
    attempt: Number(Labels[LABEL_ATTEMPT]),
  }));
}
