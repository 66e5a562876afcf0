// Running one container to its end in a test, the way a runner does.

import { newTaskId } from '../../../shared/platform/ids.ts';
import type {
  ContainerRuntime,
  ContainerSpec,
  ContainerStatus,
} from '../../../shared/ports/container-runtime.ts';
import { TEST_IMAGE } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';

export function makeContainerSpec(workerId: string, over: Partial<ContainerSpec> = {}): ContainerSpec {
  return {
    taskId: newTaskId(),
    attempt: 1,
    workerId,
    ownerId: 'user-1',
    image: TEST_IMAGE,
    command: 'true',
    env: {},
    resources: { cpuMillis: 500, memoryMb: 64, gpus: 0, storageMb: 0 },
    gpuIds: [],
    network: 'none',
    pidsLimit: 256,
    hasInput: false,
    mounts: [],
    ...over,
  };
}

/** Keeps what it is given. */
export class Ear {
  readonly chunks: { stream: string; chunk: Buffer }[] = [];
  readonly sink = (stream: string, chunk: Buffer) => {
    this.chunks.push({ stream, chunk });
  };

  bytes(of: 'stdout' | 'stderr'): Buffer {
    return Buffer.concat(this.chunks.filter(({ stream }) => stream === of).map(({ chunk }) => chunk));
  }

  get stdout(): string {
    return this.bytes('stdout').toString();
  }

  get stderr(): string {
    return this.bytes('stderr').toString();
  }

  hears(text: string): Promise<unknown> {
    return waitFor(() => this.stdout.includes(text), { what: `"${text}" in the output`, deadlineMs: 30_000 });
  }
}

export interface Ran {
  readonly id: string;
  readonly status: ContainerStatus;
  readonly ear: Ear;
}

/** Creates, attaches, starts, waits; leaves the ended container. */
export async function runToEnd(runtime: ContainerRuntime, spec: ContainerSpec): Promise<Ran> {
  const { id, ear, done } = await launch(runtime, spec);
  const status = await runtime.wait(id);
  await done;
  return { id, status, ear };
}

export async function launch(
  runtime: ContainerRuntime,
  spec: ContainerSpec,
): Promise<{ id: string; ear: Ear; done: Promise<void> }> {
  const id = await runtime.create(spec);
  const ear = new Ear();
  const { done } = await runtime.attach(id, ear.sink);
  await runtime.start(id);
  return { id, ear, done };
}

export async function removeAll(runtime: ContainerRuntime, workerId: string): Promise<void> {
  for (const { id } of await runtime.list(workerId)) await runtime.remove(id);
}
