// The runner on real Docker: what becomes of programs of every kind, and of those a runner leaves behind.

import { symlink, writeFile } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import type { Task } from '../../../shared/model/task.ts';
import { newId } from '../../../shared/platform/ids.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { containersOf, volumesOf } from '../../support/containers.ts';
import { tempDir } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openStage, type Stage, type StartedRunner } from './stage.ts';

let stage: Stage;
let started: StartedRunner;
/** A folder of the machine that tasks may read. */
let shared: string;
let removeShared: () => Promise<void>;

const small = { cpuMillis: 250, memoryMb: 64, gpus: 0, storageMb: 0 };
const run = async (spec: Parameters<Stage['submit']>[0]): Promise<Task> =>
  stage.ended(await stage.submit({ resources: small, ...spec }), 60_000);

beforeAll(async () => {
  ({ path: shared, remove: removeShared } = await tempDir());
  const mounts = [{ path: shared, readOnly: true }];
  stage = await openStage({
    env: { MOUNT_ALLOW: `${shared}:ro` },
    openRuntime: (workerId) =>
      openDockerRuntime({
        dockerHost: process.env.DOCKER_HOST ?? '',
        log: silentLog(),
        networkSlots: 0,
        workerId,
        mounts,
      }),
  });
  started = await stage.start();
});
afterAll(async () => {
  await stage?.close();
  await removeShared?.();
});

describe('a program on Docker that', () => {
  it('prints on both streams completes, with its lines in order', async () => {
    const done = await run({ command: 'echo one; sleep 0.2; echo two >&2; sleep 0.2; printf three' });
    expect(done).toMatchObject({ state: 'completed', exitCode: 0, reason: null });
    expect(done.attempts[0]).toMatchObject({
      containerId: expect.stringMatching(/^[0-9a-f]{12,}/),
      imageId: expect.stringMatching(/^sha256:/),
    });
    expect(await stage.lines(done)).toMatchObject([
      { seq: 1, stream: 'stdout', line: 'one' },
      { seq: 2, stream: 'stderr', line: 'two' },
      { seq: 3, stream: 'stdout', line: 'three' },
    ]);
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
  });

  it('floods its output is kept whole', async () => {
    const done = await run({ command: 'seq 1 200000' });
    expect(done.state).toBe('completed');
    const output = await stage.output(done);
    expect(output).toHaveLength(200_000);
    expect(output.every((line, n) => line === String(n + 1))).toBe(true);
  });

  it('fails says how', async () => {
    expect(await run({ command: 'exit 3' })).toMatchObject({
      state: 'failed',
      reason: 'exit_code',
      exitCode: 3,
    });
    expect(await run({ command: 'no-such-command' })).toMatchObject({
      reason: 'exit_code',
      exitCode: 127,
      message: 'exit code 127: command not found',
    });
    expect(await run({ command: ['/no/such/binary'] })).toMatchObject({
      reason: 'start_error',
      message: expect.stringContaining('/no/such/binary'),
    });
    expect(await run({ command: "sh -c 'kill -SEGV $$'; exit $?" })).toMatchObject({
      exitCode: 139,
      message: expect.stringContaining('SIGSEGV'),
    });
    await stage.untilNoContainers();
  });

  it('mounts a folder of the machine reads it; by a link that leads out it fails, once and for all', async () => {
    await writeFile(`${shared}/set.txt`, 'a set');
    await symlink('/etc', `${shared}/out`);
    const mount = (source: string) => ({ mounts: [{ source, target: '/data', readOnly: true }] });
    const read = await run({ command: 'cat /data/set.txt', ...mount(shared) });
    expect(read.state).toBe('completed');
    expect(await stage.output(read)).toEqual(['a set']);
    const out = await run({ command: 'cat /data/passwd', ...mount(`${shared}/out`) });
    expect(out).toMatchObject({ state: 'failed', reason: 'start_error', losses: 0, attempt: 1 });
    expect(out.message).toContain('leads out of what may be mounted');
    expect((await stage.store.workers.get(stage.workerId))?.mounts).toEqual([
      { path: shared, readOnly: true },
    ]);
    await stage.untilNoContainers();
  });

  it('takes too much memory is killed for it', async () => {
    expect(await run({ command: 'x=a; while true; do x=$x$x; done' })).toMatchObject({
      state: 'failed',
      reason: 'oom_killed',
      message: 'it went over its memory limit of 64 MB',
    });
  });

  it('runs too long is stopped at its limit', async () => {
    const done = await run({ command: 'echo begin; sleep 600', timeoutSeconds: 2 });
    expect(done).toMatchObject({ state: 'failed', reason: 'timed_out' });
    expect((done.finishedAt ?? 0) - (done.startedAt ?? 0)).toBeGreaterThanOrEqual(1_900);
    expect(await stage.output(done)).toEqual(['begin']);
    await stage.untilNoContainers();
  });

  it('names an image that is not there fails, and the worker stays well', async () => {
    expect(await run({ image: 'cloudai/no-such-image:latest', pullPolicy: 'never' })).toMatchObject({
      state: 'failed',
      reason: 'image_error',
      message: expect.stringContaining('cloudai/no-such-image'),
    });
    expect((await run({ command: 'true' })).state).toBe('completed');
  });

  it('ignores SIGTERM is killed after the grace when it is cancelled', async () => {
    const task = await stage.submit({
      resources: small,
      command: "trap '' TERM; echo up; while true; do sleep 0.1; done",
    });
    await stage.untilPrinted(task, 'up');
    const asked = performance.now();
    await stage.cancel(task);
    const done = await stage.ended(task);
    expect(performance.now() - asked).toBeGreaterThan(950);
    expect(done).toMatchObject({ state: 'cancelled', exitCode: 137, message: 'cancelled by alice; killed' });
    expect(await containersOf(task.id)).toEqual([]);
  });

  it('listens to SIGTERM says goodbye when it is cancelled', async () => {
    const task = await stage.submit({
      resources: small,
      command: "trap 'echo bye; exit 0' TERM; echo up; while true; do sleep 0.1; done",
    });
    await stage.untilPrinted(task, 'up');
    await stage.cancel(task, { nudge: false });
    expect(await stage.ended(task)).toMatchObject({ state: 'cancelled', exitCode: 0 });
    expect(await stage.output(task)).toEqual(['up', 'bye']);
    expect(await containersOf(task.id)).toEqual([]);
  });
});

describe('a program on Docker that is to leave its worker', () => {
  it('hears SIGTERM, keeps what it printed and left, and runs again here under its next number', async () => {
    const command = `
      echo attempt > /output/state
      trap 'echo saved >> /output/state; echo bye; exit 0' TERM
      echo up; while true; do sleep 0.1; done`;
    const task = await stage.submit({ resources: small, command });
    await stage.untilPrinted(task, 'up');
    await stage.evict(task);
    const back = await stage.until(task, ['queued']);
    expect(await containersOf(task.id)).toEqual([]);
    expect(back).toMatchObject({ attempt: 2, failures: 0, losses: 0 });
    expect(back.attempts).toMatchObject([
      { state: 'evicted', exitCode: 0, message: 'makes room for another', outputs: { files: 1 } },
    ]);
    expect(await stage.output(task)).toEqual(['up', 'bye']);
    const place = { ownerId: task.ownerId, taskId: task.id, attempt: 1, path: 'state' };
    const record = await stage.store.files.find(place);
    expect((await buffer(await stage.files.read(record!.id))).toString()).toBe('attempt\nsaved\n');
    const again = await stage.place(back);
    await stage.untilPrinted(again, 'up');
    await stage.cancel(again);
    expect(await stage.ended(again)).toMatchObject({ state: 'cancelled', attempt: 2 });
  });

  it('is killed after the grace when it does not listen', async () => {
    const task = await stage.submit({
      resources: small,
      command: "trap '' TERM; echo up; while true; do sleep 0.1; done",
    });
    await stage.untilPrinted(task, 'up');
    await stage.evict(task, { nudge: false });
    const back = await stage.until(task, ['queued']);
    expect(back.attempts).toMatchObject([
      { state: 'evicted', exitCode: 137, message: 'makes room for another; killed' },
    ]);
    expect(await containersOf(task.id)).toEqual([]);
  });
});

describe('files on Docker', () => {
  const fileOf = async (task: Task, path: string): Promise<string> => {
    const place = { ownerId: task.ownerId, taskId: task.id, attempt: task.attempt, path };
    const record = await stage.store.files.find(place);
    return record ? (await buffer(await stage.files.read(record.id))).toString() : 'not there';
  };
  const upload = async (path: string, text: string) => {
    const id = newId('file');
    const written = await stage.files.write(id, Readable.from([Buffer.from(text)]), { maxBytes: 1e6 });
    const place = { ownerId: 'user-1', taskId: null, attempt: null, path };
    await stage.store.files.put([{ ...written, ...place, id, contentType: 'text/plain', createdAt: 1 }]);
  };

  it('go in and come out, and leave no volume behind', async () => {
    await upload('in/words.txt', 'some words');
    const command =
      'mkdir /output/sub; tr a-z A-Z < /input/in/words.txt > /output/sub/loud; ln -s /etc/passwd /output/link; exit 3';
    const task = await stage.submit({ resources: small, command, files: ['in/words.txt'] });
    const done = await stage.ended(task, 60_000);
    expect(done).toMatchObject({
      reason: 'exit_code',
      exitCode: 3,
      attempts: [{ outputs: { files: 1, bytes: 10, note: 'left out: 1 symbolic link' } }],
    });
    expect(await fileOf(done, 'sub/loud')).toBe('SOME WORDS');
    await stage.untilNoContainers();
    await waitFor(async () => (await volumesOf(done.id)).length === 0, { what: 'the volume to be gone' });
  });

  it('are kept of what is cancelled', async () => {
    const task = await stage.submit({
      resources: small,
      command:
        'echo half > /output/result; trap "echo more >> /output/result; exit 0" TERM; echo up; while true; do sleep 0.1; done',
    });
    await stage.untilPrinted(task, 'up');
    await stage.cancel(task);
    const done = await stage.ended(task);
    expect(done).toMatchObject({ state: 'cancelled', attempts: [{ outputs: { files: 1 } }] });
    expect(await fileOf(done, 'result')).toBe('half\nmore\n');
    expect(await containersOf(done.id)).toEqual([]);
  });

  it('are collected by the next runner when the first one is gone', async () => {
    const command = 'echo up; echo early > /output/early; sleep 2; echo late > /output/late';
    const task = await stage.submit({ resources: small, command });
    await stage.untilPrinted(task, 'up');
    await started.runner.stop();
    const [left] = (await stage.runtime.list(stage.workerId)).filter(({ taskId }) => taskId === task.id);
    await stage.runtime.wait(left!.id);
    started = await stage.start();
    const done = await stage.ended(task);
    expect(done).toMatchObject({ state: 'completed', attempts: [{ outputs: { files: 2, note: null } }] });
    expect([await fileOf(done, 'early'), await fileOf(done, 'late')]).toEqual(['early\n', 'late\n']);
  });
});

describe('a runner that is stopped', () => {
  const counting = (to: number) =>
    `n=0; while [ $n -lt ${to} ]; do n=$((n+1)); echo line $n; echo err $n >&2; sleep 0.05; done`;
  const expected = (name: string, to: number) => Array.from({ length: to }, (_, n) => `${name} ${n + 1}`);

  it('leaves its containers to the next, which has all of their output', async () => {
    const long = await stage.submit({ resources: small, command: counting(120) });
    const short = await stage.submit({ resources: small, command: counting(40) });
    await stage.untilPrinted(long, 'line 10');
    await started.runner.stop();
    expect(await containersOf(long.id)).toMatchObject([{ state: 'running' }]);
    expect((await stage.task(long.id)).state).toBe('running');
    // The short one ends while nobody is there.
    const [left] = (await stage.runtime.list(stage.workerId)).filter(({ taskId }) => taskId === short.id);
    await stage.runtime.wait(left!.id);

    started = await stage.start();
    for (const [task, to] of [
      [long, 120],
      [short, 40],
    ] as const) {
      expect(await stage.ended(task)).toMatchObject({ state: 'completed', attempt: 1, exitCode: 0 });
      const lines = await stage.lines(task);
      expect(lines.map(({ seq }) => seq)).toEqual(lines.map((_, n) => n + 1));
      const of = (stream: string) => lines.filter((one) => one.stream === stream).map(({ line }) => line);
      expect(of('stdout')).toEqual(expected('line', to));
      expect(of('stderr')).toEqual(expected('err', to));
    }
    await stage.untilNoContainers();
    await stage.untilNoDeliveries();
  });

  it('has the exit codes, and the kills for memory, of what ended while nobody was there', async () => {
    const failing = await stage.submit({ resources: small, command: 'echo up; sleep 1; exit 7' });
    const greedy = await stage.submit({
      resources: small,
      command: 'echo up; sleep 1; x=a; while true; do x=$x$x; done',
    });
    for (const task of [failing, greedy]) await stage.untilPrinted(task, 'up');
    await started.runner.stop();
    for (const { id } of await stage.runtime.list(stage.workerId)) await stage.runtime.wait(id);
    started = await stage.start();
    expect(await stage.ended(failing)).toMatchObject({ reason: 'exit_code', exitCode: 7 });
    expect(await stage.ended(greedy)).toMatchObject({ reason: 'oom_killed', exitCode: 137 });
  });

  it('counts the time limit from the true start', async () => {
    const task = await stage.submit({ resources: small, command: 'echo up; sleep 600', timeoutSeconds: 4 });
    await stage.untilPrinted(task, 'up');
    await started.runner.stop();
    started = await stage.start();
    const done = await stage.ended(task);
    expect(done).toMatchObject({ state: 'failed', reason: 'timed_out' });
    expect((done.finishedAt ?? 0) - (done.startedAt ?? 0)).toBeGreaterThanOrEqual(3_900);
  });
});
