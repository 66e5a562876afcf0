// What a runner measures of containers: told while they run, kept with their attempt. On the scripted runtime, whose
// containers say themselves what they use.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TaskUsageEvent } from '../../../shared/contracts/live.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, type StartedRunner } from './stage.ts';

let stage: Stage;
let started: StartedRunner;

const resources = { cpuMillis: 2_000, memoryMb: 256, gpus: 0, storageMb: 0 };
const told = (taskId: string): TaskUsageEvent[] =>
  stage.live.emitted.flatMap(({ room, event, body }) =>
    event === 'task:usage' && room === `task:${taskId}` ? [body as TaskUsageEvent] : [],
  );

beforeAll(async () => {
  ({ stage } = await openScriptedStage({ USAGE_SAMPLE_SECONDS: '0.1' }));
  started = await stage.start();
});
afterAll(() => stage?.close());

describe('a container', () => {
  it('is measured while it runs, and its attempt keeps the sum', async () => {
    const task = await stage.submit({
      resources,
      command: 'usage 1500 200; sleep 300; usage 500 90; forever',
    });
    await waitFor(() => told(task.id).some(({ memory }) => memory === 90), { what: 'the second usage' });
    await stage.cancel(task, { force: true });
    const { attempts } = await stage.ended(task);
    const events = told(task.id);
    expect(events[0]).toMatchObject({
      task_id: task.id,
      attempt: 1,
      at: expect.stringMatching(/Z$/),
      memory: 200,
    });
    const { usage } = attempts[0]!;
    expect(usage).toMatchObject({ samples: events.length, memoryPeakMb: 200 });
    expect(usage?.cpuMeanMillis).toBeGreaterThan(400);
    expect(usage?.cpuMeanMillis).toBeLessThan(1_600);
    expect(usage?.cpuPeakMillis).toBeGreaterThanOrEqual(usage?.cpuMeanMillis ?? 0);
    expect(usage?.cpuMs).toBeGreaterThan(0);
  });

  it('that is over before the first look has no usage', async () => {
    const done = await stage.ended(await stage.submit({ resources, command: 'usage 1500 200; exit 0' }));
    expect(done).toMatchObject({ state: 'completed', attempts: [{ usage: null }] });
    expect(told(done.id)).toEqual([]);
  });

  it('is measured on by the next life of the runner, with all of its processor time', async () => {
    const task = await stage.submit({ resources, command: 'usage 1000 50; forever' });
    await waitFor(() => told(task.id).length >= 3, { what: 'three samples' });
    const before = told(task.id).length;
    await started.runner.stop();
    started = await stage.start();
    await waitFor(() => told(task.id).length >= before + 3, { what: 'three samples after the adoption' });
    await stage.cancel(task, { force: true });
    const { attempts } = await stage.ended(task);
    const { usage, startedAt, finishedAt } = attempts[0]!;
    expect(usage?.samples).toBe(told(task.id).length - before);
    // All of it ran at one core; what came after the last look is not in it.
    const ranMs = finishedAt! - startedAt!;
    expect(usage?.cpuMs).toBeGreaterThan(before * 50);
    expect(usage?.cpuMs).toBeLessThanOrEqual(ranMs + 1_000);
  });

  it('that cannot be measured runs as any other', async () => {
    const { measure } = stage.runtime;
    let looks = 0;
    stage.runtime.measure = () => {
      looks += 1;
      return Promise.reject(new Error('no answer'));
    };
    try {
      const task = await stage.submit({ resources, command: 'usage 1000 50; forever' });
      await waitFor(() => looks >= 2, { what: 'two looks' });
      await stage.cancel(task, { force: true });
      expect(await stage.ended(task)).toMatchObject({ state: 'cancelled', attempts: [{ usage: null }] });
    } finally {
      stage.runtime.measure = measure;
    }
  });
});
