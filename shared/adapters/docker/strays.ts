// What carries the label of another worker than the one that asks. Lists and removes; whether it may go is decided elsewhere.

import type { ContainerInfo } from 'dockerode';
import type { Stray } from '../../model/stray.ts';
import type { ContainerRuntime } from '../../ports/container-runtime.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';
import {
  attemptOfVolume,
  LABEL_ATTEMPT,
  LABEL_INPUT,
  LABEL_TASK,
  LABEL_WORKER,
  VOLUME_PREFIX,
} from './container-settings.ts';
import type { Containers } from './containers.ts';
import { LABEL_SLOT } from './pause-containers.ts';
import { listVolumes, type TaskVolumes } from './task-volumes.ts';

export function createStrays(parts: {
  readonly connection: Connection;
  readonly containers: Pick<Containers, 'remove'>;
  readonly volumes: Pick<TaskVolumes, 'remove'>;
}): Pick<ContainerRuntime, 'strays' | 'removeStray'> {
  const { connection, containers, volumes } = parts;
  return {
    async strays(workerId) {
      const [made, idle] = await Promise.all([
        connection.ask('list containers', LOOK_TIMEOUT_MS, (abortSignal) =>
          connection.docker.listContainers({ all: true, filters: { label: [LABEL_WORKER] }, abortSignal }),
        ),
        listVolumes(connection, { name: [VOLUME_PREFIX], label: [LABEL_WORKER], dangling: ['true'] }),
      ]);
      const joined = new Set(made.map(({ HostConfig }) => HostConfig.NetworkMode));
      return [
        ...made.map((one) => strayOf(one, joined)),
        ...idle.map(({ Name, Labels }) => strayVolume(Labels?.[LABEL_WORKER] ?? '', Name)),
      ].filter((stray) => stray !== null && stray.workerId !== workerId) as Stray[];
    },
    // A pause container goes like any other; its own volumes go with one of a task, or of files on their way.
    removeStray: ({ kind, id }) => (kind === 'volume' ? volumes.remove(id) : containers.remove(id)),
  };
}

/** @param joined networks of all containers of the project */
function strayOf({ Id: id, Names, Labels }: ContainerInfo, joined: ReadonlySet<string>): Stray | null {
  const workerId = Labels[LABEL_WORKER] ?? '';
  const taskId = Labels[LABEL_TASK];
  if (taskId !== undefined) {
    return { workerId, kind: 'container', id, of: { taskId, attempt: Number(Labels[LABEL_ATTEMPT] ?? 0) } };
  }
  const volume = Labels[LABEL_INPUT];
  if (volume !== undefined) {
    const of = attemptOfVolume(volume);
    return of && { workerId, kind: 'container', id, of };
  }
  if (Labels[LABEL_SLOT] === undefined) return null;
  const isIn = [id, ...Names.map((name) => name.replace(/^\//, ''))].some((name) =>
    joined.has(`container:${name}`),
  );
  return isIn ? null : { workerId, kind: 'slot', id, of: null };
}

function strayVolume(workerId: string, name: string): Stray | null {
  const of = attemptOfVolume(name);
  return of && { workerId, kind: 'volume', id: name, of };
}
