// The state behind scripted runtimes. Two runtimes on one engine are two lives of a runner on one machine. Tests
// may also cut the engine off.

import { AppError } from '../../errors.ts';
import type { Clock } from '../../ports/clock.ts';
import type { ContainerSpec, EngineHealth } from '../../ports/container-runtime.ts';
import { ScriptedContainer } from './scripted-container.ts';

/** What a scripted engine may be told to fail with. */
export type RefusedCall = 'pull' | 'create' | 'start' | 'kill' | 'remove';

export interface ScriptedEngine {
  /** While false every call fails with `runtime_unavailable`; the containers go on. */
  setReachable(reachable: boolean): void;
  /** Ends all that runs, as a restart of the engine or of its machine does. Calls under way are cut off. */
  restart(of: 'engine' | 'machine'): void;
  /** Each such call, or so many, fails with this error from now on; null: works again. */
  setRefused(call: RefusedCall, error: AppError | null, times?: number): void;
  /** How often it was called, whether it failed or not. */
  callsOf(call: RefusedCall): number;
  /** What `health` says while it is reachable. */
  setHealth(health: Partial<EngineHealth>): void;
  /** Removes a container behind the runner's back. */
  lose(containerId: string): void;
  /** Containers that are there now, ended ones included. */
  readonly size: number;
  /** Most containers that ever ran at the same time. */
  readonly peakRunning: number;
  /** Attempts whose input is there. */
  readonly inputCount: number;
}

const NO_INPUT: ReadonlyMap<string, Buffer> = new Map();

export function attemptName(of: { readonly taskId: string; readonly attempt: number }): string {
  return `${of.taskId}-${of.attempt}`;
}

export class EngineState implements ScriptedEngine {
  readonly containers = new Map<string, ScriptedContainer>();
  /** Images whose slow pull is over. */
  readonly pulled = new Set<string>();
  readonly pulls = new Map<string, Promise<void>>();
  /** Files provided for attempts, by `attemptName`. */
  readonly inputs = new Map<string, ReadonlyMap<string, Buffer>>();
  /** Of the containers that are there. */
  readonly #byAttempt = new Set<string>();
  readonly #cut = new Set<() => void>();
  #reachable = true;
  readonly #refused = new Map<RefusedCall, { readonly error: AppError; left: number }>();
  readonly #calls = new Map<RefusedCall, number>();
  health: EngineHealth = { freeMb: null, networkFault: null };
  #serial = 0;
  #running = 0;
  peakRunning = 0;

  get size(): number {
    return this.containers.size;
  }

  get inputCount(): number {
    return this.inputs.size;
  }

  setReachable(reachable: boolean): void {
    this.#reachable = reachable;
    if (!reachable) for (const cut of [...this.#cut]) cut();
  }

  restart(of: 'engine' | 'machine'): void {
    for (const cut of [...this.#cut]) cut();
    for (const container of this.containers.values()) container.cut(of);
  }

  setRefused(call: RefusedCall, error: AppError | null, times = Number.POSITIVE_INFINITY): void {
    if (error) this.#refused.set(call, { error, left: times });
    else this.#refused.delete(call);
  }

  callsOf(call: RefusedCall): number {
    return this.#calls.get(call) ?? 0;
  }

  setHealth(health: Partial<EngineHealth>): void {
    this.health = { ...this.health, ...health };
  }

  /** Counts the call. Throws what it is to fail with. */
  refuse(call: RefusedCall): void {
    this.#calls.set(call, this.callsOf(call) + 1);
    const refused = this.#refused.get(call);
    if (!refused || refused.left === 0) return;
    refused.left -= 1;
    throw refused.error;
  }

  lose(containerId: string): void {
    const container = this.containers.get(containerId);
    if (!container) return;
    container.remove();
    this.containers.delete(containerId);
    this.#byAttempt.delete(attemptName(container.spec));
    if (container.spec.hasInput) this.inputs.delete(attemptName(container.spec));
  }

  /** Throws while the engine is cut off. */
  check(): void {
    if (!this.#reachable) throw unreachable();
  }

  /** Calls back when the engine is cut off, until the returned function is called. */
  onCut(cut: () => void): () => void {
    this.#cut.add(cut);
    return () => this.#cut.delete(cut);
  }

  create(spec: ContainerSpec, clock: Clock): ScriptedContainer {
    const name = attemptName(spec);
    if (this.#byAttempt.has(name)) {
      throw new AppError(
        'conflict',
        `the container of ${spec.taskId}, attempt ${spec.attempt}, is there already`,
      );
    }
    const input = spec.hasInput ? this.inputs.get(attemptName(spec)) : NO_INPUT;
    if (!input) throw new AppError('container_start_failed', 'the files of this attempt were not provided');
    this.#serial += 1;
    const container = new ScriptedContainer(`scripted-${this.#serial}`, spec, clock, input);
    this.containers.set(container.id, container);
    this.#byAttempt.add(name);
    return container;
  }

  start(container: ScriptedContainer): void {
    if (container.status.state !== 'created') return;
    this.#running += 1;
    this.peakRunning = Math.max(this.peakRunning, this.#running);
    const unwatch = container.watch(() => {
      if (!container.ended) return;
      unwatch();
      this.#running -= 1;
    });
    container.start();
  }
}

export function unreachable(): AppError {
  return new AppError('runtime_unavailable', 'the scripted engine is cut off', { retryable: true });
}

export function createScriptedEngine(): ScriptedEngine {
  return new EngineState();
}
