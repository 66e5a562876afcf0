// The files an attempt is given, and the image it runs: from where they are kept to the container.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import { AppError } from '../../../shared/errors.ts';
import { waitFor } from '../../support/wait-for.ts';
import { keptFiles } from './kept-files.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

let stage: Stage;
let engine: ScriptedEngine;

const open = async (env: Record<string, string> = {}) => {
  ({ stage, engine } = await openScriptedStage(env));
};
beforeEach(() => open());
afterEach(() => stage?.close());

const submit = (spec: Parameters<Stage['submit']>[0]) => stage.submit({ resources: small, ...spec });
const run = async (spec: Parameters<Stage['submit']>[0]) => stage.ended(await submit(spec));

const { beforeWrites, upload } = keptFiles(() => stage);

describe('files that an attempt is given', () => {
  it('are there, under their names', async () => {
    await stage.start();
    await upload('in/a b.txt', 'one');
    await upload('c', 'two');
    const done = await run({ command: 'cat-input in/a%20b.txt; cat-input c', files: ['in/a b.txt', 'c'] });
    expect(done.state).toBe('completed');
    expect(await stage.output(done)).toEqual(['one', 'two']);
    await stage.untilNoContainers();
    expect(engine.inputCount).toBe(0);
    const told = stage.live.progressOf(done.id).filter(({ phase }) => phase === 'preparing');
    expect(told[0]).toMatchObject({ message: 'providing 2 files', bytes: { total: 6 } });
  });

  it('and are gone keep it from starting, by name', async () => {
    await stage.start();
    await upload('there', 'x');
    const done = await run({ command: 'true', files: ['there', 'in/gone.csv'] });
    expect(done).toMatchObject({
      state: 'failed',
      reason: 'start_error',
      message: expect.stringContaining('"in/gone.csv"'),
    });
    const hollow = await upload('hollow', 'x');
    await stage.files.remove([hollow.id]);
    const broken = await run({ command: 'true', files: ['there', 'hollow'] });
    expect(broken).toMatchObject({ reason: 'start_error', message: expect.stringContaining('"hollow"') });
    await waitFor(() => engine.inputCount === 0, { what: 'the input to be dropped' });
    expect(engine.size).toBe(0);
  });

  it('that are written anew on their way come in their new form', async () => {
    let isFirst = true;
    await stage.start({
      files: {
        ...beforeWrites(() => undefined),
        read: async (id) => {
          if (isFirst) {
            isFirst = false;
            await upload('data', 'newer');
            await stage.files.remove([id]);
          }
          return stage.files.read(id);
        },
      },
    });
    await upload('data', 'old');
    const done = await run({ command: 'cat-input data', files: ['data'] });
    expect(await stage.output(done)).toEqual(['newer']);
  });

  it('are waited for while their store is away, and a cancel does not wait', async () => {
    await stage.start();
    await upload('data', 'text');
    stage.away.files = true;
    const patient = await submit({ command: 'cat-input data', files: ['data'] });
    const given = await submit({ command: 'cat-input data', files: ['data'] });
    await waitFor(async () => (await stage.task(given.id)).state === 'assigned', { what: 'assignment' });
    await stage.cancel(given);
    expect(await stage.ended(given)).toMatchObject({ state: 'cancelled', attempts: [{ outputs: null }] });
    stage.away.files = false;
    expect(await stage.ended(patient)).toMatchObject({ state: 'completed' });
    expect(await stage.output(patient)).toEqual(['text']);
    await stage.untilNoContainers();
    await waitFor(() => engine.inputCount === 0, { what: 'all input to be gone' });
  });

  it('are dropped when its container cannot be made, or does not start', async () => {
    const create = () =>
      Promise.reject(new AppError('container_start_failed', 'the engine does not want to'));
    const { runner } = await stage.start({ runtime: { ...stage.runtime, create } });
    await upload('data', 'text');
    const unmade = await run({ command: 'true', files: ['data'] });
    expect(unmade).toMatchObject({ reason: 'start_error', message: 'the engine does not want to' });
    await waitFor(() => engine.inputCount === 0, { what: 'the input to be gone' });
    await runner.stop();
    await stage.start();
    const unstarted = await run({ command: 'start-error no such thing', files: ['data'] });
    expect(unstarted).toMatchObject({ message: expect.stringContaining('no such thing') });
    await waitFor(() => engine.inputCount === 0, { what: 'the input to be gone' });
  });
});

describe('an image on its way', () => {
  it('is told of', async () => {
    await stage.start();
    const done = await run({ image: 'cloudai/slow-300:1', command: 'true' });
    const told = stage.live.progressOf(done.id).filter(({ phase }) => phase === 'pulling');
    expect(told[0]).toMatchObject({
      attempt: 1,
      percent: 0,
      message: 'pulling cloudai/slow-300:1',
      layers: { done: 0, total: 1 },
    });
  });
});
