// A container runtime without containers, for scenario tests and benches of the control plane: behaviour comes from
// the command (see script.ts), time from timers. Keeps every promise of the port; starts no process.

import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { familiarImage } from '../../model/image.ts';
import { strayContainer } from '../../model/stray.ts';
import { systemClock } from '../../platform/clock.ts';
import { untilAborted } from '../../platform/deadline.ts';
import type { Clock } from '../../ports/clock.ts';
import type {
  ContainerRuntime,
  ContainerStatus,
  OutputHandle,
  OutputSink,
} from '../../ports/container-runtime.ts';
import {
  attemptName,
  createScriptedEngine,
  EngineState,
  type ScriptedEngine,
  unreachable,
} from './engine.ts';
import { leftEntries, readInput } from './files.ts';
import { readImage } from './script.ts';
import type { ScriptedContainer } from './scripted-container.ts';

export { createScriptedEngine, type ScriptedEngine } from './engine.ts';

export interface ScriptedRuntimeOptions {
  readonly clock?: Clock;
  /** What `info` says of the machine. */
  readonly capacity?: {
    readonly cpuCores?: number;
    readonly memoryMb?: number;
    readonly storageMb?: number;
  };
  /** State to share with another life of the runner; by default one of its own. */
  readonly engine?: ScriptedEngine;
}

const CAPACITY = { cpuCores: 4, memoryMb: 8_192, storageMb: 102_400 };

export function openScriptedRuntime(options: ScriptedRuntimeOptions = {}): ContainerRuntime {
  const clock = options.clock ?? systemClock;
  const engine = options.engine ?? createScriptedEngine();
  if (!(engine instanceof EngineState)) {
    throw new AppError('bad_config', 'the engine of a scripted runtime comes from createScriptedEngine()');
  }
  let closed = false;
  const waiting = new Set<() => void>();

  const check = () => {
    if (closed)
      throw new AppError('runtime_unavailable', 'the scripted runtime was closed', { retryable: true });
    engine.check();
  };
  const find = (id: string): ScriptedContainer => {
    check();
    const container = engine.containers.get(id);
    if (!container) throw new AppError('not_found', `there is no container ${id}`);
    return container;
  };

  const read = (container: ScriptedContainer, sink: OutputSink): OutputHandle => {
    let stopped = false;
    let wake: () => void = () => undefined;
    const pump = async () => {
      let at = 0;
      for (;;) {
        for (let chunk = container.output[at]; chunk && !stopped; chunk = container.output[at]) {
          at += 1;
          const held = sink(chunk.stream, chunk.bytes);
          if (held) await held;
        }
        if (stopped || (container.ended && at === container.output.length)) return;
        await new Promise<void>((done) => {
          wake = done;
        });
      }
    };
    const unwatch = container.watch(() => wake());
    const done = pump().finally(unwatch);
    done.catch(() => undefined);
    return {
      done,
      close() {
        stopped = true;
        wake();
      },
    };
  };

  return {
    kind: 'scripted',

    async info() {
      check();
      return {
        kind: 'scripted',
        version: '1',
        os: process.platform,
        arch: process.arch,
        ...CAPACITY,
        ...options.capacity,
        gpuSupport: false,
      };
    },

    async health() {
      check();
      return engine.health;
    },

    async ensureImage(image, policy, { signal, onProgress }) {
      check();
      engine.refuse('pull');
      const behaviour = readImage(image);
      if (behaviour.kind === 'missing') {
        throw new AppError('image_not_found', `there is no image "${image}": its name says so`);
      }
      if (behaviour.kind === 'broken') {
        throw new AppError('image_pull_failed', `the image "${image}" could not be pulled: its name says so`);
      }
      if (behaviour.kind === 'slow' && (policy === 'always' || !engine.pulled.has(image))) {
        if (policy === 'never') throw new AppError('image_not_found', `the image "${image}" is not here yet`);
        const layer = { layersTotal: 1, bytesTotal: behaviour.ms };
        onProgress?.({ ...layer, layersDone: 0, bytesDone: 0 });
        const pull =
          engine.pulls.get(image) ?? delay(behaviour.ms).then(() => void engine.pulls.delete(image));
        engine.pulls.set(image, pull);
        await untilAborted(pull, signal);
        onProgress?.({ ...layer, layersDone: 1, bytesDone: behaviour.ms });
      }
      engine.pulled.add(image);
      return `scripted:${image}`;
    },

    async images() {
      check();
      return [...engine.pulled].map((name) => ({
        name: familiarImage(name),
        sizeBytes: null,
        createdAt: null,
      }));
    },

    async provideInput(of, files, signal) {
      check();
      engine.inputs.delete(attemptName(of));
      const input = await readInput(files, signal);
      check();
      engine.inputs.set(attemptName(of), input);
    },

    async dropInput(of) {
      check();
      engine.inputs.delete(attemptName(of));
    },

    async create(spec) {
      check();
      engine.refuse('create');
      return engine.create(spec, clock).id;
    },

    async attach(id, sink) {
      return read(find(id), sink);
    },

    async replay(id, sink) {
      return read(find(id), sink);
    },

    async start(id) {
      const container = find(id);
      engine.refuse('start');
      const { startError } = container.script;
      if (startError !== null) throw new AppError('container_start_failed', startError);
      engine.start(container);
    },

    async wait(id, signal) {
      const container = find(id);
      const ended = new Promise<ContainerStatus>((done, fail) => {
        const look = () => {
          if (!container.ended) return;
          clear();
          if (container.status.state === 'exited') done(container.status);
          else fail(new AppError('not_found', `the container ${id} is gone`));
        };
        const cut = () => {
          clear();
          fail(unreachable());
        };
        const unwatch = container.watch(look);
        const uncut = engine.onCut(cut);
        const clear = () => {
          unwatch();
          uncut();
          signal?.removeEventListener('abort', clear);
          waiting.delete(cut);
        };
        signal?.addEventListener('abort', clear);
        waiting.add(cut);
        look();
      });
      return untilAborted(ended, signal);
    },

    async *readOutput(id, signal) {
      for (const entry of leftEntries(find(id))) {
        check();
        yield entry;
        if (signal?.aborted) throw new AppError('timed_out', 'reading the output folder was given up');
      }
    },

    async measure(id) {
      check();
      const container = engine.containers.get(id);
      return container?.status.state === 'running' ? container.usage.measure() : null;
    },

    async inspect(id) {
      check();
      return engine.containers.get(id)?.status ?? null;
    },

    async list(workerId) {
      check();
      return [...engine.containers.values()]
        .filter(({ spec }) => spec.workerId === workerId)
        .map(({ status }) => status);
    },

    async kill(id, signal) {
      check();
      engine.refuse('kill');
      engine.containers.get(id)?.signal(signal);
    },

    async remove(id) {
      check();
      engine.refuse('remove');
      engine.lose(id);
    },

    async strays(workerId) {
      check();
      return [...engine.containers.values()]
        .filter(({ spec }) => spec.workerId !== workerId)
        .map(({ status }) => strayContainer(status));
    },

    async removeStray({ id }) {
      check();
      engine.lose(id);
    },

    async close() {
      closed = true;
      for (const cut of [...waiting]) cut();
    },
  };
}
