// The volumes of attempts: one for what a program is given, one for what it leaves. Both have a name of ours, for an engine
// that is killed may keep a volume and forget its labels. Must never leave one behind for longer than a sweep, nor touch
// another's.

import type { Log } from '../../platform/log.ts';
import { type Connection, LOOK_TIMEOUT_MS, WORK_TIMEOUT_MS } from './connection.ts';
import { isVolumeName, LABEL_INPUT, LABEL_TASK, LABEL_WORKER, VOLUME_PREFIX } from './container-settings.ts';
import { statusOf } from './errors.ts';
import type { PauseContainers } from './pause-containers.ts';

/**
 * So long something that this process does not know must be there before it is swept: another life of the runner may
 * be at work on it.
 */
const SWEEP_GRACE_MS = 60_000;
const SWEEP_EVERY_MS = 20_000;

export interface TaskVolumes {
  /** This process is about to make it, or to fill it. */
  take(name: string): void;
  has(name: string): boolean;
  /** Repeatable. Throws `runtime_unavailable`, or `conflict` while a container has it. */
  remove(name: string): Promise<void>;
  /** A container that has these volumes mounted; those of others are passed over. */
  learn(containerId: string, volumes: readonly string[]): void;
  knows(containerId: string): boolean;
  /** The container is gone: its volumes go too. */
  release(containerId: string): Promise<void>;
  /** Looks, now and then, for what an earlier life left. Never throws, and makes nobody wait. */
  sweep(workerId: string): void;
}

interface Volume {
  readonly Name: string;
  readonly Labels: Readonly<Record<string, string>> | null;
}

export function createTaskVolumes(parts: {
  readonly connection: Connection;
  readonly pauses: PauseContainers;
  readonly log: Log;
  readonly sweepGraceMs?: number;
}): TaskVolumes {
  const { connection, pauses, log, sweepGraceMs = SWEEP_GRACE_MS } = parts;
  const { docker } = connection;
  const own = new Set<string>();
  const ofContainer = new Map<string, readonly string[]>();
  /** What nobody here knows, and when it was seen first; monotonic. */
  const unknown = new Map<string, number>();
  let sweptAt = Number.NEGATIVE_INFINITY;
  let sweeping = false;

  const remove = async (name: string) => {
    // First, so that whatever is left now is swept.
    own.delete(name);
    await connection.ask('remove a volume of a task', WORK_TIMEOUT_MS, async (abortSignal) => {
      try {
        await docker.getVolume(name).remove({ abortSignal } as never);
      } catch (error) {
        if (statusOf(error) !== 404) throw error;
      }
    });
  };

  /** Of this worker; and those without labels, which an engine forgot: no container has them, and none will. */
  const listLeft = async (workerId: string): Promise<Map<string, string[]>> => {
    const [idle, helpers] = await Promise.all([
      // Not those of containers: they go with them.
      listVolumes(connection, { name: [VOLUME_PREFIX], dangling: ['true'] }),
      connection.ask('list containers', LOOK_TIMEOUT_MS, (abortSignal) =>
        docker.listContainers({
          all: true,
          filters: { label: [`${LABEL_WORKER}=${workerId}`, LABEL_INPUT] },
          abortSignal,
        }),
      ),
    ]);
    const mine = idle.filter(
      ({ Name, Labels }) =>
        isVolumeName(Name) && (Labels?.[LABEL_TASK] === undefined || Labels[LABEL_WORKER] === workerId),
    );
    const left = new Map<string, string[]>(mine.map(({ Name }) => [Name, []]));
    for (const { Id, Labels } of helpers) {
      const name = Labels[LABEL_INPUT] ?? '';
      left.set(name, [...(left.get(name) ?? []), Id]);
    }
    return left;
  };

  const look = async (workerId: string) => {
    const left = await listLeft(workerId);
    const used = new Set([...ofContainer.values()].flat());
    const now = performance.now();
    for (const name of unknown.keys()) if (!left.has(name)) unknown.delete(name);
    for (const [name, ids] of left) {
      if (own.has(name) || used.has(name)) continue;
      const since = unknown.get(name) ?? now;
      unknown.set(name, since);
      if (now - since < sweepGraceMs) continue;
      log.info({ volume: name }, 'removing a volume that an earlier life of the runner left');
      try {
        for (const id of ids) await pauses.remove(id);
        await remove(name);
      } catch (error) {
        // A container may have it after all.
        log.debug({ err: error, volume: name }, 'a left volume was not removed');
      }
    }
  };

  return {
    take: (name) => void own.add(name),
    has: (name) => own.has(name),
    remove,
    learn(containerId, volumes) {
      ofContainer.set(containerId, volumes.filter(isVolumeName));
    },
    knows: (containerId) => ofContainer.has(containerId),
    async release(containerId) {
      const names = ofContainer.get(containerId) ?? [];
      ofContainer.delete(containerId);
      await Promise.all(names.map(remove));
    },
    sweep(workerId) {
      if (sweeping || performance.now() - sweptAt < Math.min(SWEEP_EVERY_MS, sweepGraceMs)) return;
      sweeping = true;
      sweptAt = performance.now();
      look(workerId)
        .catch((error) => log.debug({ err: error }, 'the sweep for left volumes failed'))
        .finally(() => {
          sweeping = false;
        });
    },
  };
}

/** The types that come with the client take no filters as an object, and know no signal. */
export async function listVolumes(
  { docker, ask }: Connection,
  filters: Readonly<Record<string, readonly string[]>>,
): Promise<Volume[]> {
  const list = docker.listVolumes as (options: object) => Promise<{ Volumes: Volume[] | null }>;
  const { Volumes } = await ask('list volumes', LOOK_TIMEOUT_MS, (abortSignal) =>
    list.call(docker, { filters, abortSignal }),
  );
  return Volumes ?? [];
}
