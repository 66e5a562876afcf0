// A runner that is told to stop and is not to leave its work behind: it finishes what runs, or hands it over.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import type { ShutdownConfig } from '../../../shared/platform/shutdown.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

const large = { ...small, cpuMillis: 3_900 };
let stage: Stage;
let engine: ScriptedEngine;

beforeEach(async () => {
  ({ stage, engine } = await openScriptedStage());
});
afterEach(() => stage?.close());

const start = async (shutdown: Partial<ShutdownConfig>) => {
  const config = {
    ...stage.config,
    shutdown: { mode: 'finish' as const, deadlineMs: 20_000, handOverMs: 5_000, ...shutdown },
  };
  return (await stage.start({ config })).runner;
};
const printing = async (command: string, resources = small): Promise<Task> => {
  const task = await stage.submit({ resources, command, maxRetries: 1 });
  await stage.untilPrinted(task, 'up');
  return task;
};
const presence = async () =>
  (await stage.redis.presence.present()).filter((one) => one.workerId === stage.workerId);
const expectGivenBack = (task: Task) => {
  expect(task).toMatchObject({ state: 'queued', attempt: 2, failures: 0, losses: 0, notBefore: 0 });
  expect(task.attempts[0]).toMatchObject({
    state: 'evicted',
    message: expect.stringContaining(`${stage.workerId} was shut down`),
    eviction: { cause: 'shut_down' },
  });
};

describe('a runner that finishes', () => {
  it('sees what runs to its end, gives back what has not started, and then its lease', async () => {
    const runner = await start({ mode: 'finish' });
    const task = await printing('print up; sleep 1500; print end; exit 0', large);
    const waiting = await stage.submit({ resources: large, command: 'print never' });
    await waitFor(() => runner.status().waiting === 1, { what: 'the line' });
    const stopping = runner.stop();
    expectGivenBack(await stage.until(waiting, ['queued']));
    expect(await stage.task(task.id)).toMatchObject({ state: 'running' });
    expect(runner.status().phase).toBe('leaving');
    expect(await presence()).toMatchObject([{ troubles: [{ code: 'shutting_down' }] }]);
    // Placed by somebody who has not heard yet.
    const late = await stage.submit({ resources: small, command: 'print never' });
    expectGivenBack(await stage.until(late, ['queued']));
    await stopping;
    expect(await stage.task(task.id)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(await stage.output(task)).toEqual(['up', 'end']);
    expect(await presence()).toEqual([]);
    expect(engine.size).toBe(0);
  });

  it('hands over what does not end in time', async () => {
    const runner = await start({ mode: 'finish', deadlineMs: 600 });
    const task = await printing('on-term 0 0 bye; print up; forever');
    await runner.stop();
    expectGivenBack(await stage.task(task.id));
    expect(await stage.output({ ...task, attempt: 1 })).toEqual(['up', 'bye']);
    expect(await presence()).toEqual([]);
  });

  it('hands over when it is asked again, and leaves when it is asked once more', async () => {
    const runner = await start({ mode: 'finish', handOverMs: 20_000 });
    const polite = await printing('print up; forever');
    const stubborn = await printing('ignore-term; print up; forever');
    const stopping = runner.stop();
    runner.hurry('on');
    expectGivenBack(await stage.until(polite, ['queued']));
    runner.hurry('on');
    await stopping;
    // What could not be given back is the next life's, with its lease.
    expect(engine.size).toBe(1);
    expect(await presence()).toHaveLength(1);
    await start({ mode: 'leave' });
    expectGivenBack(await stage.until(stubborn, ['queued']));
  });

  it('goes on after a cancel as ever', async () => {
    const runner = await start({ mode: 'finish' });
    const task = await printing('print up; forever');
    const stopping = runner.stop();
    await stage.cancel(task);
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled' });
    await stopping;
  });
});

describe('a runner that hands over', () => {
  it('gives back what runs and what does not at no cost, and is gone at once', async () => {
    const runner = await start({ mode: 'hand-over' });
    const running = await printing('file half done; on-term 0 0 bye; print up; forever', large);
    const waiting = await stage.submit({ resources: large, command: 'print never' });
    await runner.stop();
    for (const task of [running, waiting]) expectGivenBack(await stage.task(task.id));
    expect((await stage.task(running.id)).attempts[0]).toMatchObject({ outputs: { files: 1 } });
    expect(await presence()).toEqual([]);
    expect(engine.size).toBe(0);
    const queue = await stage.redis.intake.page(0, 100);
    for (const { id } of [running, waiting]) expect(queue).toContain(id);
  });

  it('leaves all as it is where the store does not come back in time', async () => {
    const runner = await start({ mode: 'hand-over', deadlineMs: 1_000 });
    const task = await printing('print up; sleep 2500; print end');
    stage.away.store = true;
    await runner.stop();
    expect(engine.size).toBe(1);
    expect(await presence()).toHaveLength(1);
    stage.away.store = false;
    expect(await stage.task(task.id)).toMatchObject({ state: 'running', attempt: 1 });
    await start({ mode: 'leave' });
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('is quick when its supervisor is gone', async () => {
    const runner = await start({ mode: 'hand-over', deadlineMs: 60_000 });
    const task = await printing('ignore-term; print up; forever');
    const stopping = runner.stop();
    runner.hurry('at_once');
    await stopping;
    expect(['running', 'queued']).toContain((await stage.task(task.id)).state);
    expect(runner.status().phase).toBe('stopped');
  });
});
