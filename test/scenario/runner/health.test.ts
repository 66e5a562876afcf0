// A runner whose engine or machine is not well: it says so in its heartbeat, goes on with what it has, keeps its promises
// about what it cannot end, and is well again by itself.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import { AppError } from '../../../shared/errors.ts';
import type { Trouble } from '../../../shared/model/worker-health.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

const quick = {
  everyMs: 50,
  limits: { awayAfterMs: 150, calmMs: 150, stuckAfterMs: 200, failingAfterMs: 300, restMs: 400 },
};
const refusal = () =>
  new AppError('runtime_unavailable', 'the engine says: device or resource busy', { retryable: true });
let stage: Stage;
let engine: ScriptedEngine;

beforeEach(async () => {
  ({ stage, engine } = await openScriptedStage());
});
afterEach(async () => {
  for (const call of ['pull', 'create', 'start', 'kill', 'remove'] as const) engine.setRefused(call, null);
  engine.setReachable(true);
  await stage?.close();
});

const troubles = async (): Promise<readonly Trouble[]> =>
  (await stage.redis.presence.present()).find(({ workerId }) => workerId === stage.workerId)?.troubles ?? [];
const untilTold = (code: Trouble['code']): Promise<Trouble> =>
  waitFor(async () => (await troubles()).find((one) => one.code === code), {
    what: `the heartbeat to tell ${code}`,
  });
const untilWell = () =>
  waitFor(async () => (await troubles()).length === 0, { what: 'a heartbeat without troubles' });

describe('a worker whose engine does not answer', () => {
  it('says so, and that it is well again once it answers; what runs there goes on', async () => {
    await stage.start({ health: quick });
    const task = await stage.submit({ resources: small, command: 'print up; sleep 1500; print end' });
    await stage.untilPrinted(task, 'up');
    engine.setReachable(false);
    const told = await untilTold('engine_away');
    expect(told.message).toMatch(/^its engine does not answer/);
    expect(Math.abs(Date.now() - told.since)).toBeLessThan(30_000);
    engine.setReachable(true);
    await untilWell();
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1, losses: 0 });
    expect(await stage.output(task)).toEqual(['up', 'end']);
  });

  it('ends a task that is to be cancelled when it is back', async () => {
    await stage.start({ health: quick });
    const task = await stage.submit({ resources: small, command: 'print up; forever' });
    await stage.untilPrinted(task, 'up');
    engine.setReachable(false);
    await stage.cancel(task, { force: true });
    await untilTold('engine_away');
    expect((await stage.task(task.id)).state).toBe('running');
    engine.setReachable(true);
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled' });
  });

  it('stops within seconds all the same', async () => {
    const { runner } = await stage.start({ health: quick });
    const task = await stage.submit({ resources: small, command: 'print up; forever' });
    await stage.untilPrinted(task, 'up');
    engine.setReachable(false);
    await untilTold('engine_away');
    const began = performance.now();
    await runner.stop();
    expect(performance.now() - began).toBeLessThan(20_000);
  });
});

describe('a container that cannot be removed', () => {
  it('keeps its attempt from ending as cancelled, holds its place, and is named; others go on', async () => {
    const { runner } = await stage.start({ health: quick });
    const whole = { ...small, cpuMillis: 3_900 };
    const task = await stage.submit({ resources: whole, command: 'print up; forever' });
    const other = await stage.submit({ resources: small, command: 'print up; sleep 600; print end' });
    await stage.untilPrinted(task, 'up');
    await stage.untilPrinted(other, 'up');
    engine.setRefused('remove', refusal());
    await stage.cancel(task);
    const told = await untilTold('container_stuck');
    const { containerId } = (await stage.task(task.id)).attempts[0]!;
    expect(told.message).toBe(
      `container ${containerId!.slice(0, 12)} of its engine cannot be removed (the engine says: device or resource busy)`,
    );
    expect((await stage.task(task.id)).state).toBe('running');
    expect(runner.status().free).toMatchObject({ cpuMillis: expect.any(Number) });
    expect(runner.status().free!.cpuMillis).toBeLessThanOrEqual(100);
    const [progress] = await stage.live.parts.progress.get([task.id]);
    expect(progress?.message).toMatch(/^its container cannot be removed: .*busy; trying on$/);
    await stage.untilPrinted(other, 'end');

    engine.setRefused('remove', null);
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled' });
    expect(await stage.ended(other)).toMatchObject({ state: 'completed' });
    await untilWell();
    await stage.untilNoContainers();
  });

  it('of a task that has ended well keeps its place, too', async () => {
    const { runner } = await stage.start({ health: quick });
    engine.setRefused('remove', refusal());
    const task = await stage.submit({ resources: { ...small, cpuMillis: 3_900 }, command: 'print done' });
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
    await untilTold('container_stuck');
    expect(runner.status().free!.cpuMillis).toBe(100);
    engine.setRefused('remove', null);
    await stage.untilNoContainers();
    await waitFor(() => runner.status().free!.cpuMillis === 4_000, { what: 'the place to be free' });
    await untilWell();
  });
});

describe('a container that cannot be killed', () => {
  it('is killed again and again until it ends', async () => {
    await stage.start({ health: quick });
    const task = await stage.submit({ resources: small, command: 'ignore-term; print up; forever' });
    await stage.untilPrinted(task, 'up');
    engine.setRefused('kill', refusal());
    await stage.cancel(task, { force: true });
    expect((await untilTold('container_stuck')).message).toMatch(/does not end \(the engine says: device/);
    expect((await stage.task(task.id)).state).toBe('running');
    const [progress] = await stage.live.parts.progress.get([task.id]);
    expect(progress?.message).toMatch(/^its container cannot be killed/);
    engine.setRefused('kill', null);
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled' });
    await untilWell();
  });
});

describe('an engine whose disk is full', () => {
  it('costs a task no retry, and the worker says so until there is room', async () => {
    await stage.start({ health: quick });
    engine.setRefused('create', new AppError('disk_full', 'the disk of the container engine is full'));
    const task = await stage.submit({ resources: small, command: 'print done' });
    const waiting = await stage.until(task, ['queued']);
    expect(waiting).toMatchObject({ attempt: 2, failures: 0, losses: 1 });
    expect(waiting.attempts[0]).toMatchObject({ state: 'failed', reason: 'disk_full' });
    expect(await untilTold('engine_disk_full')).toMatchObject({ message: 'the disk of its engine is full' });
    engine.setRefused('create', null);
    await untilWell();
  });

  it('is noticed before a task meets it', async () => {
    await stage.start({ health: quick });
    engine.setHealth({ freeMb: 5 });
    expect((await untilTold('engine_disk_full')).message).toBe(
      'the disk of its engine is full (5 MB left, of which 256 MB are kept free)',
    );
    engine.setHealth({ freeMb: 5_000 });
    await untilWell();
  });
});

describe('an engine that starts nothing', () => {
  it('fails tasks by its own fault, and the worker is unhealthy after some of them', async () => {
    await stage.start({ health: quick });
    engine.setRefused('create', new AppError('internal', 'no more shims'));
    for (let n = 0; n < 3; n += 1) {
      const task = await stage.submit({ resources: small, command: 'print done' });
      const waiting = await stage.until(task, ['queued']);
      expect(waiting.attempts[0]).toMatchObject({ state: 'failed', reason: 'runtime_error' });
    }
    expect((await untilTold('engine_failing')).message).toBe(
      'its engine starts no containers (no more shims)',
    );
    engine.setRefused('create', null);
    // Tried again after a rest.
    await untilWell();
    const task = await stage.submit({ resources: small, command: 'print done' });
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
  });

  it('cannot make networks is told when that lasts', async () => {
    await stage.start({ health: quick });
    engine.setHealth({ networkFault: { forMs: 100, message: 'no free address' } });
    engine.setHealth({ networkFault: { forMs: 60_000, message: 'no free address' } });
    await untilTold('network_failing');
    engine.setHealth({ networkFault: null });
    await untilWell();
  });
});

describe('stores that take nothing for long', () => {
  it('make the worker unhealthy until they do', async () => {
    await stage.start({ health: quick });
    const task = await stage.submit({
      resources: small,
      command: 'print up; file kept.txt x; sleep 100; print more; sleep 1500; print end',
    });
    await stage.untilPrinted(task, 'up');
    stage.away.logs = true;
    await untilTold('logs_failing');
    stage.away.logs = false;
    stage.away.files = true;
    await stage.untilPrinted(task, 'end');
    await untilTold('files_failing');
    stage.away.files = false;
    expect(await stage.ended(task)).toMatchObject({ state: 'completed' });
    await untilWell();
  });
});

describe('an image that is gone when the container is to be made', () => {
  it('is made present again', async () => {
    await stage.start({ health: quick });
    const gone = new AppError('image_not_found', 'there is no image "x": No such image');
    engine.setRefused('create', gone, 1);
    const task = await stage.submit({ resources: small, command: 'print done' });
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
    expect(engine.callsOf('pull')).toBe(2);
  });

  it('is the end of a task when it goes again and again, in words', async () => {
    await stage.start({ health: quick });
    engine.setRefused('create', new AppError('image_not_found', 'there is no image "x": No such image'));
    const task = await stage.submit({ resources: small, command: 'print done' });
    expect(await stage.ended(task)).toMatchObject({ state: 'failed', reason: 'image_error', attempt: 1 });
    expect(engine.callsOf('pull')).toBe(4);
  });
});

describe('a registry that fails in a way that may pass', () => {
  const fault = () =>
    new AppError('image_pull_failed', 'the image "x" could not be pulled: unexpected EOF', {
      retryable: true,
    });

  it('is asked again within the attempt', async () => {
    await stage.start({ health: quick });
    engine.setRefused('pull', fault());
    const task = await stage.submit({ resources: small, command: 'print done' });
    await waitFor(() => engine.callsOf('pull') >= 3, { what: 'the third pull' });
    const [progress] = await stage.live.parts.progress.get([task.id]);
    expect(progress).toMatchObject({
      phase: 'pulling',
      message: expect.stringMatching(/EOF; trying again$/),
    });
    engine.setRefused('pull', null);
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
  });
});
