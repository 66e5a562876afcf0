// The container engine, with its times by the cluster's clock: the engine goes by the clock of the machine it shares with
// the runner, which may be off. Changes nothing else.

import type { ClusterClock } from '../shared/ports/clock.ts';
import type { ContainerRuntime, ContainerStatus } from '../shared/ports/container-runtime.ts';

export function inClusterTime(
  runtime: ContainerRuntime,
  clock: Pick<ClusterClock, 'offsetMs'>,
): ContainerRuntime {
  const status = (one: ContainerStatus): ContainerStatus => {
    // Asked once for both, so that they stay as far apart as they are.
    const offsetMs = clock.offsetMs() ?? 0;
    const time = (ms: number | null) => (ms === null ? null : ms - offsetMs);
    return { ...one, startedAt: time(one.startedAt), finishedAt: time(one.finishedAt) };
  };
  return {
    kind: runtime.kind,
    info: () => runtime.info(),
    health: () => runtime.health(),
    ensureImage: (...args) => runtime.ensureImage(...args),
    images: () => runtime.images(),
    provideInput: (...args) => runtime.provideInput(...args),
    dropInput: (of) => runtime.dropInput(of),
    create: (spec) => runtime.create(spec),
    attach: (...args) => runtime.attach(...args),
    replay: (...args) => runtime.replay(...args),
    start: (id) => runtime.start(id),
    wait: async (...args) => status(await runtime.wait(...args)),
    inspect: async (id) => {
      const seen = await runtime.inspect(id);
      return seen && status(seen);
    },
    list: async (workerId) => (await runtime.list(workerId)).map(status),
    readOutput: (...args) => runtime.readOutput(...args),
    measure: async (id) => {
      const usage = await runtime.measure(id);
      return usage && { ...usage, at: usage.at - (clock.offsetMs() ?? 0) };
    },
    kill: (...args) => runtime.kill(...args),
    remove: (id) => runtime.remove(id),
    strays: (workerId) => runtime.strays(workerId),
    removeStray: (stray) => runtime.removeStray(stray),
    close: () => runtime.close(),
  };
}
