// Does a fault to the stage, and ends it. Faults to one thing come one after the other; faults to different things may
// overlap.

import { setTimeout as delay } from 'node:timers/promises';
import type { Fault } from './faults.ts';
import type { Stage, StageHost } from './stage.ts';
import type { Supervised } from './supervised.ts';

export class Injector {
  readonly #stage: Stage;
  readonly #turns = new Map<string, Promise<unknown>>();

  constructor(stage: Stage) {
    this.#stage = stage;
  }

  /** Resolves when the fault is over: what was ended has been started again. */
  async inject(fault: Fault): Promise<void> {
    const key = victimOf(fault);
    const before = this.#turns.get(key) ?? Promise.resolve();
    const turn = before.then(() => this.#do(fault));
    this.#turns.set(
      key,
      turn.catch(() => undefined),
    );
    await turn;
  }

  async #do({ kind, target, lastsMs }: Fault): Promise<void> {
    const { apis, schedulers, hosts, redis, store } = this.#stage;
    const host = hosts[target] as StageHost;
    switch (kind) {
      case 'kill-api':
        return endFor(apis[target] as Supervised, 'SIGKILL', lastsMs);
      case 'kill-scheduler':
        return endFor(schedulers[target] as Supervised, 'SIGKILL', lastsMs);
      case 'kill-runner':
        return endFor(host.runner, 'SIGKILL', lastsMs);
      case 'stop-runner':
        return endFor(host.runner, 'SIGTERM', lastsMs);
      case 'freeze-scheduler':
        return freezeFor(schedulers[target] as Supervised, lastsMs);
      case 'freeze-runner':
        return freezeFor(host.runner, lastsMs);
      case 'restart-redis':
      case 'kill-redis':
        await redis.end(kind === 'kill-redis' ? 'SIGKILL' : 'SIGTERM');
        await delay(lastsMs);
        return redis.start();
      case 'flush-redis':
        await redis.run((client) => client.flushall());
        return;
      case 'stop-store':
        return store.beAwayFor(lastsMs);
      case 'restart-docker':
        await host.host.docker.end('SIGTERM');
        return host.host.docker.start();
      case 'kill-docker':
        await host.host.docker.end('SIGKILL');
        await delay(lastsMs);
        return host.host.docker.start();
      case 'freeze-docker':
        return freezeFor(host.host.docker, lastsMs);
      case 'cut-link':
        await host.host.cut();
        await delay(lastsMs);
        return host.host.heal();
      case 'crash-host':
        await Promise.all([host.runner.end('SIGKILL'), host.host.crash()]);
        await delay(lastsMs);
        await host.host.boot();
        return host.runner.start();
    }
  }
}

/** What must not have two faults at once. */
function victimOf({ kind, target }: Fault): string {
  if (kind.endsWith('-redis')) return 'redis';
  if (kind.endsWith('-store')) return 'store';
  if (kind.endsWith('-api')) return `api-${target}`;
  if (kind.endsWith('-scheduler')) return `scheduler-${target}`;
  return `host-${target}`;
}

async function endFor(process: Supervised, signal: 'SIGTERM' | 'SIGKILL', ms: number): Promise<void> {
  await process.end(signal);
  await delay(ms);
  process.start();
}

async function freezeFor(of: { freeze(): void; thaw(): void }, ms: number): Promise<void> {
  of.freeze();
  await delay(ms);
  of.thaw();
}
