// A scheduler that leads and a real runner together, on a scripted container runtime.

import { createScheduler, type Scheduler } from '../../scheduler/scheduler.ts';
import { createScriptedEngine, openScriptedRuntime } from '../../shared/adapters/scripted/open.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { loadSchedulerConfig } from '../../shared/platform/config/scheduler.ts';
import { openStage, type Stage } from './runner/stage.ts';
import { leading, log } from './scheduler/bed.ts';

export interface Whole {
  readonly stage: Stage;
  readonly scheduler: Scheduler;
  stop(): Promise<void>;
}

/** @param env settings of the scheduler */
export async function openWhole(env: Record<string, string>): Promise<Whole> {
  const engine = createScriptedEngine();
  const stage = await openStage({ openRuntime: () => openScriptedRuntime({ engine }) });
  await stage.start();
  const { store, redis } = stage;
  const scheduler = createScheduler({
    ...redis,
    config: loadSchedulerConfig({ WORKER_LEASE_SECONDS: '20', RECONCILE_SECONDS: '1', ...env }),
    store,
    board: redis.schedulerBoard,
    decisionLog: redis.decisions,
    clock: systemClock,
    log,
  });
  await scheduler.start();
  await leading(scheduler);
  const stop = async () => {
    await scheduler.stop();
    await stage.close();
  };
  return { stage, scheduler, stop };
}
