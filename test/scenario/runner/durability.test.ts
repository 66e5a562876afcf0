// What a runner knows outlives it: results that could not be committed, why a container was stopped, output and files that
// could not be kept yet; and what the next life makes of a machine or an engine that was restarted meanwhile.

import { readdir, writeFile } from 'node:fs/promises';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Journal } from '../../../runner/journal/journal.ts';
import type { ScriptedEngine } from '../../../shared/adapters/scripted/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { finishTask, takeBackTask } from '../../../shared/model/task-life.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

let stage: Stage;
let engine: ScriptedEngine;

beforeEach(async () => {
  ({ stage, engine } = await openScriptedStage());
});
afterEach(() => stage?.close());

const folder = () => `${stage.config.dataDir}/runner-${stage.workerId}/journal`;
const entries = async () => (await readdir(folder())).filter((name) => name.endsWith('.json'));
const untilNoted = (task: Task) =>
  waitFor(async () => (await entries()).includes(`${task.id}-1.json`), { what: 'the entry in the journal' });
const untilNoEntries = () =>
  waitFor(async () => (await entries()).length === 0, { what: 'an empty journal' });
const containerOf = async (task: Task) => (await stage.task(task.id)).attempts[0]!.containerId!;
const loseAll = async () => {
  for (const { id } of await stage.runtime.list(stage.workerId)) engine.lose(id);
};

/** A life ends with a result that it could not commit; the store stays away. */
const leaveResult = async (): Promise<Task> => {
  const { runner } = await stage.start();
  const task = await stage.submit({ resources: small, command: 'print up; sleep 200; exit 5' });
  await stage.untilPrinted(task, 'up');
  stage.away.store = true;
  await untilNoted(task);
  await runner.stop();
  return task;
};
/** The store goes with the first container that is removed. */
const losingTheStore = () => ({
  ...stage.runtime,
  remove: async (id: string) => {
    stage.away.store = true;
    await stage.runtime.remove(id);
  },
});

describe('a result that could not be committed', () => {
  it('is committed by the next life, whole, although its container is gone', async () => {
    const { runner } = await stage.start({ config: { ...stage.config, usageSampleMs: 20 } });
    const task = await stage.submit({
      resources: small,
      command: 'usage 70 9; print up; sleep 300; exit 4',
    });
    await stage.untilPrinted(task, 'up');
    stage.away.store = true;
    await untilNoted(task);
    await runner.stop();
    await loseAll();
    stage.away.store = false;
    await stage.start();
    const done = await stage.ended(task);
    expect(done).toMatchObject({ state: 'failed', reason: 'exit_code', exitCode: 4, attempt: 1 });
    expect(done.attempts[0]?.usage).toMatchObject({ memoryPeakMb: 9 });
    await untilNoEntries();
  });

  it('is committed by the next life with its container there, and by a third while the store stays away', async () => {
    let { runner } = await stage.start();
    const task = await stage.submit({ resources: small, command: 'print up; sleep 200; exit 5' });
    await stage.untilPrinted(task, 'up');
    stage.away.store = true;
    await untilNoted(task);
    for (let life = 0; life < 2; life += 1) {
      await runner.stop();
      const starting = stage.start();
      await waitFor(() => stage.lastRunner()?.status().phase === 'starting', { what: 'a start' });
      runner = stage.lastRunner()!;
      void starting;
    }
    stage.away.store = false;
    expect(await stage.ended(task)).toMatchObject({ exitCode: 5, attempt: 1 });
    await stage.untilNoContainers();
    await untilNoEntries();
  });

  it('of a cancelled attempt keeps its exit code and files, though its container is removed first', async () => {
    const { runner } = await stage.start({ runtime: losingTheStore() });
    const task = await stage.submit({
      resources: small,
      command: 'file half some text; on-term 9 0 bye; print up; forever',
    });
    await stage.untilPrinted(task, 'up');
    await stage.cancel(task);
    await waitFor(() => engine.size === 0, { what: 'the removal' });
    await runner.stop();
    stage.away.store = false;
    expect((await stage.task(task.id)).state).toBe('running');
    await stage.start();
    expect(await stage.ended(task)).toMatchObject({
      state: 'cancelled',
      exitCode: 9,
      attempts: [{ outputs: { files: 1, bytes: 9 } }],
    });
    await untilNoEntries();
  });

  it('of an attempt that was given to others meanwhile is dropped', async () => {
    const task = await leaveResult();
    stage.away.store = false;
    const taken = await stage.write(task, (now) =>
      takeBackTask(now, { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'lost' }),
    );
    await stage.start();
    await untilNoEntries();
    await stage.untilNoContainers();
    expect(await stage.task(task.id)).toEqual(taken);
  });

  it('of an attempt that was given to others leaves no files, though no container is left to tell of them', async () => {
    const { runner } = await stage.start({ runtime: losingTheStore() });
    const task = await stage.submit({ resources: small, command: 'file half some text; print up; forever' });
    await stage.untilPrinted(task, 'up');
    await stage.evict(task);
    await waitFor(() => engine.size === 0, { what: 'the removal' });
    await runner.stop();
    stage.away.store = false;
    const kept = async () => {
      const of = { ownerId: task.ownerId, taskId: task.id, attempt: 1 };
      return (await stage.store.files.list(of, { limit: 10 })).files;
    };
    expect(await kept()).toHaveLength(1);
    await stage.write(task, (now) =>
      takeBackTask(now, { attempt: 1, workerId: stage.workerId, now: Date.now(), message: 'lost' }),
    );
    await stage.start();
    await untilNoEntries();
    expect(await kept()).toEqual([]);
  });

  it('that stands in the record already is not committed twice', async () => {
    const task = await leaveResult();
    const [held] = (await Journal.open(folder(), silentLog())).keys().map((key) => key);
    const entry = (await Journal.open(folder(), silentLog())).of(held!);
    // The answer to the write was lost on the way.
    stage.away.store = false;
    const written = await stage.write(task, (now) => finishTask(now, entry!.result!));
    await stage.start();
    await untilNoEntries();
    await stage.untilNoContainers();
    expect(await stage.task(task.id)).toEqual(written);
  });

  it('in a damaged entry is not believed: what the container shows is', async () => {
    const task = await leaveResult();
    await writeFile(`${folder()}/${task.id}-1.json`, 'cloudai-journal 1 0\n{}\n');
    stage.away.store = false;
    await stage.start();
    expect(await stage.ended(task)).toMatchObject({ exitCode: 5, attempt: 1 });
    expect(await readdir(folder())).toContain(`${task.id}-1.json.damaged`);
  });
});

describe('why a container was stopped', () => {
  it('is known to the next life: cut off, so the attempt is lost and not failed', async () => {
    const { runner } = await stage.start();
    const task = await stage.submit({ resources: small, command: 'on-term 143 400; print up; forever' });
    await stage.untilPrinted(task, 'up');
    stage.away.lease = true;
    // What the record has as up goes on.
    await stage.store.workers.setLiveness(stage.workerId, 'down', Date.now());
    await untilNoted(task);
    await runner.stop();
    stage.away.lease = false;
    await waitFor(async () => (await stage.runtime.inspect(await containerOf(task)))?.state === 'exited', {
      what: 'the end of the container',
    });
    await stage.start();
    const back = await stage.until(task, ['queued', 'failed']);
    expect(back).toMatchObject({ state: 'queued', failures: 0, losses: 1 });
    expect(back.attempts[0]).toMatchObject({ reason: 'worker_lost', exitCode: 143 });
  });

  it('is carried on with by the next life, to the end', async () => {
    const { runner } = await stage.start();
    const task = await stage.submit({
      resources: small,
      command: 'ignore-term; print up; forever',
      timeoutSeconds: 1,
    });
    await stage.untilPrinted(task, 'up');
    await untilNoted(task);
    await runner.stop();
    await stage.start();
    expect(await stage.ended(task)).toMatchObject({ reason: 'timed_out', exitCode: 137 });
    await untilNoEntries();
  });
});

describe('a runner that dies', () => {
  it('while output cannot be kept: the next reads it from its first byte', async () => {
    const { runner } = await stage.start();
    const task = await stage.submit({
      resources: small,
      command: 'print up; sleep 100; lines 20000; sleep 100; lines 20000; print end',
    });
    await stage.untilPrinted(task, 'up');
    stage.away.logs = true;
    await stage.runtime.wait(await containerOf(task));
    await runner.stop();
    stage.away.logs = false;
    await stage.start();
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
    const lines = await stage.lines(task);
    expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, n) => n + 1));
    expect(lines).toHaveLength(40_002);
    expect(lines.at(-1)?.line).toBe('end');
  });

  it('while files cannot be kept: the next keeps them all, once', async () => {
    const { runner } = await stage.start();
    const task = await stage.submit({
      resources: small,
      command: 'file a one; file b two; file-size big 3000000; print up; sleep 100; exit 0',
    });
    await stage.untilPrinted(task, 'up');
    stage.away.files = true;
    await stage.runtime.wait(await containerOf(task));
    await runner.stop();
    stage.away.files = false;
    await stage.start();
    const done = await stage.ended(task);
    expect(done).toMatchObject({
      state: 'completed',
      attempts: [{ outputs: { files: 3, bytes: 3_000_006, note: null } }],
    });
    const of = { ownerId: done.ownerId, taskId: done.id, attempt: 1 };
    const { files } = await stage.store.files.list(of, { limit: 10 });
    expect(files.map(({ path }) => path).sort()).toEqual(['a', 'b', 'big']);
    const read = await stage.files.read(files.find(({ path }) => path === 'a')!.id);
    expect((await buffer(read as Readable)).toString()).toBe('one');
  });
});

describe('a restart under running containers', () => {
  const left = async (): Promise<Task> => {
    const { runner } = await stage.start({ bootId: 'boot-1' });
    const task = await stage.submit({ resources: small, command: 'print up; forever', maxRetries: 3 });
    await stage.untilPrinted(task, 'up');
    await runner.stop();
    return task;
  };
  const lossOf = async (task: Task) => {
    const back = await stage.until(task, ['queued', 'failed', 'completed']);
    expect(back).toMatchObject({ state: 'queued', failures: 0, losses: 1 });
    return back.attempts[0];
  };

  it('of the machine: what the engine says of the end is not taken for the program’s', async () => {
    const task = await left();
    engine.restart('machine');
    await stage.start({ bootId: 'boot-2' });
    expect(await lossOf(task)).toMatchObject({
      reason: 'worker_lost',
      exitCode: 255,
      message: 'the machine of its worker was restarted while it ran',
    });
    expect(await stage.output(task)).toEqual(['up']);
  });

  it('of the machine: a container that is gone is tried again, in words that say why', async () => {
    const task = await left();
    await loseAll();
    await stage.start({ bootId: 'boot-2' });
    expect(await lossOf(task)).toMatchObject({
      reason: 'worker_lost',
      message: 'the machine of its worker was restarted while it ran; its container is gone',
    });
  });

  it('of nothing but the runner: a container that is gone has disappeared', async () => {
    const task = await left();
    await loseAll();
    await stage.start({ bootId: 'boot-1' });
    expect(await lossOf(task)).toMatchObject({ reason: 'runtime_error' });
  });

  it('of the engine, with the runner there', async () => {
    await stage.start();
    const task = await stage.submit({ resources: small, command: 'print up; forever', maxRetries: 3 });
    await stage.untilPrinted(task, 'up');
    engine.setReachable(false);
    engine.restart('engine');
    engine.setReachable(true);
    expect(await lossOf(task)).toMatchObject({
      reason: 'runtime_error',
      message: 'the container engine of its worker was restarted while it ran',
    });
  });

  it('costs a program nothing that had ended well before', async () => {
    const { runner } = await stage.start({ bootId: 'boot-1' });
    const task = await stage.submit({ resources: small, command: 'print up; sleep 2500; exit 0' });
    await stage.untilPrinted(task, 'up');
    await runner.stop();
    await stage.runtime.wait(await containerOf(task));
    engine.restart('machine');
    await stage.start({ bootId: 'boot-2' });
    expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1 });
  });

  it('does not make a cancelled task fail', async () => {
    const task = await left();
    await stage.cancel(task, { nudge: false });
    engine.restart('machine');
    await stage.start({ bootId: 'boot-2' });
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled' });
  });
});
