// The promises of shared/ports/container-runtime.ts. Every adapter passes this same suite.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { familiarImage } from '../../../shared/model/image.ts';
import type { ContainerRuntime, ContainerSpec } from '../../../shared/ports/container-runtime.ts';
import { gate } from '../../support/gate.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Dialect } from './dialects.ts';
import { fileSuite } from './file-suite.ts';
import { Ear, launch, makeContainerSpec, removeAll, runToEnd } from './runs.ts';

export interface RuntimeLives {
  readonly runtime: ContainerRuntime;
  /** Another life of the same worker, on the same engine. */
  reopen(): Promise<ContainerRuntime>;
  dispose(): Promise<void>;
}

export interface Abilities {
  readonly dialect: Dialect;
  /** Knows images and refuses missing ones. */
  readonly images: boolean;
  /** Enforces memory and tells when it did. */
  readonly memory: boolean;
  /** Every byte comes back in a replay, also what is no text. */
  readonly binaryReplay: boolean;
  /** A program cannot change what it was given. */
  readonly readOnlyInput: boolean;
}

export function runtimeSuite(
  name: string,
  open: (workerId: string) => Promise<RuntimeLives>,
  abilities: Abilities,
): void {
  const { dialect } = abilities;

  describe(`container runtime: ${name}`, () => {
    const workerId = uniqueName('w-');
    let lives: RuntimeLives;
    let runtime: ContainerRuntime;
    const spec = (over: Partial<ContainerSpec> = {}) => makeContainerSpec(workerId, over);

    beforeAll(async () => {
      lives = await open(workerId);
      runtime = lives.runtime;
    });
    afterAll(async () => {
      if (runtime) await removeAll(runtime, workerId);
      await lives?.dispose();
    });

    it('says what it is', async () => {
      const info = await runtime.info();
      expect(info.kind).toBe(runtime.kind);
      expect(info.cpuCores).toBeGreaterThan(0);
      expect(info.memoryMb).toBeGreaterThan(0);
      expect(info.version).not.toBe('');
    });

    it('runs a text through a shell, keeps the streams apart, gives the exit code', async () => {
      const { status, ear, id } = await runToEnd(runtime, spec({ command: dialect.talk('out', 'err', 3) }));
      expect(status).toMatchObject({ id, state: 'exited', exitCode: 3, oomKilled: false });
      expect([ear.stdout, ear.stderr]).toEqual(['out\n', 'err\n']);
      expect(status.startedAt).toBeGreaterThan(Date.now() - 60_000);
      expect(status.finishedAt).toBeGreaterThanOrEqual(status.startedAt ?? Number.NaN);
    });

    it('runs a list without a shell', async () => {
      const { status, ear } = await runToEnd(runtime, spec({ command: ['echo', '$HOME;', 'a b'] }));
      expect(status.exitCode).toBe(0);
      expect(ear.stdout).toBe('$HOME; a b\n');
    });

    it('hands the environment over', async () => {
      const env = { GREETING: 'hi = "there" $X', EMPTY: '' };
      const { ear } = await runToEnd(runtime, spec({ command: dialect.printEnv('GREETING'), env }));
      expect(ear.stdout).toBe('hi = "there" $X\n');
    });

    it('tells the program its devices and reports them', async () => {
      const gpuIds = ['sim-0', 'sim-3'];
      const command = dialect.printEnv('NVIDIA_VISIBLE_DEVICES');
      const { ear, status } = await runToEnd(runtime, spec({ command, gpuIds }));
      expect(ear.stdout).toBe('sim-0,sim-3\n');
      expect(status.gpuIds).toEqual(gpuIds);
    });

    it('passes 200,000 lines on, whole and in order', async () => {
      const { ear } = await runToEnd(runtime, spec({ command: dialect.lines(200_000) }));
      const lines = ear.stdout.split('\n');
      expect(lines.pop()).toBe('');
      expect(lines).toHaveLength(200_000);
      expect(lines.findIndex((line, n) => line !== `line ${n + 1}`)).toBe(-1);
    });

    it('passes bytes on as they are, also without a line end', async () => {
      const bytes = Buffer.from([0, 1, 255, 254, 10, 13, 10, 128, 37, 92, 0, 65]);
      const { ear } = await runToEnd(runtime, spec({ command: dialect.raw(bytes) }));
      expect(ear.bytes('stdout')).toEqual(bytes);
    });

    it('holds the output back while the sink is busy', async () => {
      const id = await runtime.create(spec({ command: dialect.talk('a', 'b', 0) }));
      const { opened, open } = gate();
      let inSink = 0;
      let most = 0;
      const { done } = await runtime.attach(id, async () => {
        inSink += 1;
        most = Math.max(most, inSink);
        await opened;
        inSink -= 1;
      });
      await runtime.start(id);
      await runtime.wait(id);
      open();
      await done;
      expect(most).toBe(1);
    });

    it('gives what a failing sink throws to whoever waits for the output', async () => {
      const id = await runtime.create(spec({ command: dialect.talk('a', 'b', 0) }));
      const fault = new Error('no room for lines');
      const { done } = await runtime.attach(id, () => {
        throw fault;
      });
      await runtime.start(id);
      await expect(done).rejects.toBe(fault);
      expect((await runtime.wait(id)).exitCode).toBe(0);
    });

    it('misses nothing of many short programs at once', async () => {
      const runs = Array.from({ length: 12 }, (_, n) =>
        runToEnd(runtime, spec({ command: dialect.talk(`out ${n}`, `err ${n}`, n) })),
      );
      for (const [n, { status, ear, id }] of (await Promise.all(runs)).entries()) {
        expect([status.exitCode, ear.stdout, ear.stderr]).toEqual([n, `out ${n}\n`, `err ${n}\n`]);
        await runtime.remove(id);
      }
    });

    it('lets a program end itself on SIGTERM', async () => {
      const { id, ear } = await launch(runtime, spec({ command: dialect.endOnTerm(7) }));
      await ear.hears('up');
      await runtime.kill(id, 'SIGTERM');
      expect(await runtime.wait(id)).toMatchObject({ state: 'exited', exitCode: 7 });
      await runtime.kill(id, 'SIGTERM');
      await runtime.kill(id, 'SIGKILL');
    });

    it('ends a program that ignores SIGTERM with SIGKILL only', async () => {
      const { id, ear, done } = await launch(runtime, spec({ command: dialect.ignoreTerm() }));
      await ear.hears('up');
      await runtime.kill(id, 'SIGTERM');
      await expect(runtime.wait(id, AbortSignal.timeout(400))).rejects.toMatchObject({ code: 'timed_out' });
      expect(await runtime.inspect(id)).toMatchObject({ state: 'running', exitCode: null, finishedAt: null });
      await runtime.kill(id, 'SIGKILL');
      expect(await runtime.wait(id)).toMatchObject({ state: 'exited', exitCode: 137, oomKilled: false });
      await done;
    });

    it('removes what runs, and what is gone already', async () => {
      const { id, ear, done } = await launch(runtime, spec({ command: dialect.ignoreTerm() }));
      await ear.hears('up');
      await runtime.remove(id);
      expect(await runtime.inspect(id)).toBeNull();
      expect((await runtime.list(workerId)).map((one) => one.id)).not.toContain(id);
      await done;
      await runtime.remove(id);
      await runtime.kill(id, 'SIGKILL');
    });

    it('lists what is there, ended and unstarted ones included, of this worker only', async () => {
      const ended = await runToEnd(runtime, spec({ attempt: 4, gpuIds: ['sim-1'] }));
      const created = await runtime.create(spec());
      const running = await launch(runtime, spec({ command: dialect.ignoreTerm() }));
      const foreign = await runtime.create({ ...spec(), workerId: `${workerId}-other` });
      const listed = await runtime.list(workerId);
      const states = new Map(listed.map((status) => [status.id, status.state]));
      expect(states.get(ended.id)).toBe('exited');
      expect(states.get(created)).toBe('created');
      expect(states.get(running.id)).toBe('running');
      expect(states.has(foreign)).toBe(false);
      expect(listed.find(({ id }) => id === ended.id)).toEqual(ended.status);
      expect(ended.status).toMatchObject({ attempt: 4, workerId, gpuIds: ['sim-1'] });
      for (const id of [ended.id, created, running.id, foreign]) await runtime.remove(id);
      expect(await runtime.list(`${workerId}-other`)).toEqual([]);
    });

    it('tells what is there of other workers, and removes it', async () => {
      const other = { ...spec({ command: dialect.ignoreTerm() }), workerId: `${workerId}-gone` };
      const own = await runtime.create(spec());
      const { id, ear, done } = await launch(runtime, other);
      await ear.hears('up');
      const seen = await runtime.strays(workerId);
      expect(seen.find((stray) => stray.id === id)).toEqual({
        workerId: other.workerId,
        kind: 'container',
        id,
        of: { taskId: other.taskId, attempt: other.attempt },
      });
      expect(seen.map((stray) => stray.id)).not.toContain(own);
      expect((await runtime.strays(other.workerId)).map((stray) => stray.id)).not.toContain(id);
      const stray = seen.find((one) => one.id === id);
      if (stray) await runtime.removeStray(stray);
      expect(await runtime.inspect(id)).toBeNull();
      await done;
      // Another runner on the engine may have been quicker.
      if (stray) await runtime.removeStray(stray);
      expect((await runtime.strays(workerId)).map((one) => one.workerId)).not.toContain(other.workerId);
      await runtime.remove(own);
    });

    it('does not know what is not there', async () => {
      expect(await runtime.inspect('unknown')).toBeNull();
      await runtime.remove('unknown');
      await runtime.kill('unknown', 'SIGTERM');
      await expect(runtime.wait('unknown')).rejects.toMatchObject({ code: 'not_found' });
      await expect(runtime.start('unknown')).rejects.toMatchObject({ code: 'not_found' });
      await expect(runtime.attach('unknown', () => undefined)).rejects.toMatchObject({ code: 'not_found' });
    });

    it('refuses a second container for the same attempt', async () => {
      const one = spec();
      const id = await runtime.create(one);
      await expect(runtime.create(one)).rejects.toMatchObject({ code: 'conflict' });
      const next = await runtime.create({ ...one, attempt: 2 });
      await runtime.remove(id);
      await runtime.remove(next);
    });

    it('starts a container once', async () => {
      const { id, done } = await launch(runtime, spec({ command: dialect.talk('once', '', 5) }));
      await runtime.wait(id);
      await done;
      await runtime.start(id);
      expect(await runtime.inspect(id)).toMatchObject({ state: 'exited', exitCode: 5 });
      const ear = new Ear();
      await (await runtime.replay(id, ear.sink)).done;
      expect(ear.stdout).toBe('once\n');
    });

    it('says in words that a program cannot be started', async () => {
      const id = await runtime.create(spec({ command: ['/no/such/program', 'x'] }));
      const { done } = await runtime.attach(id, () => undefined);
      await expect(runtime.start(id)).rejects.toMatchObject({
        code: 'container_start_failed',
        message: expect.stringContaining('/no/such/program'),
      });
      await runtime.remove(id);
      await done;
    });

    it('waits for what is not started yet', async () => {
      const id = await runtime.create(spec({ command: dialect.talk('', '', 9) }));
      const ended = runtime.wait(id);
      await expect(runtime.wait(id, AbortSignal.timeout(300))).rejects.toMatchObject({ code: 'timed_out' });
      await runtime.start(id);
      expect((await ended).exitCode).toBe(9);
    });

    it('goes on when the reader of its output leaves', async () => {
      const id = await runtime.create(spec({ command: dialect.count(20) }));
      const ear = new Ear();
      const handle = await runtime.attach(id, ear.sink);
      await runtime.start(id);
      await ear.hears('2\n');
      handle.close();
      await handle.done;
      expect((await runtime.wait(id)).exitCode).toBe(0);
      expect(ear.stdout).not.toContain('20\n');
    });

    it('lets the next life adopt what runs, with its output from the first byte', async () => {
      const numbers = Array.from({ length: 30 }, (_, n) => `${n + 1}\n`).join('');
      const { id, ear, done } = await launch(runtime, spec({ command: dialect.count(30) }));
      await ear.hears('5\n');
      const next = await lives.reopen();
      try {
        expect((await next.list(workerId)).find((one) => one.id === id)).toMatchObject({ state: 'running' });
        const heard = new Ear();
        const replay = await next.replay(id, heard.sink);
        await next.start(id);
        expect(await next.wait(id)).toMatchObject({ state: 'exited', exitCode: 0 });
        await replay.done;
        expect(heard.stdout).toBe(numbers);
        const again = new Ear();
        await (await next.replay(id, again.sink)).done;
        expect(again.stdout).toBe(numbers);
        await done;
        expect(ear.stdout).toBe(numbers);
      } finally {
        await next.close();
      }
    });

    it('replays long output whole', async () => {
      const { id, ear } = await runToEnd(runtime, spec({ command: dialect.lines(20_000) }));
      const again = new Ear();
      await (await runtime.replay(id, again.sink)).done;
      expect(again.stdout.length).toBeGreaterThan(200_000);
      expect(again.bytes('stdout').equals(ear.bytes('stdout'))).toBe(true);
    });

    it.runIf(abilities.binaryReplay)('replays bytes as they were', async () => {
      const bytes = Buffer.from([0, 255, 254, 10, 13, 10, 128, 65]);
      const { id } = await runToEnd(runtime, spec({ command: dialect.raw(bytes) }));
      const again = new Ear();
      await (await runtime.replay(id, again.sink)).done;
      expect(again.bytes('stdout')).toEqual(bytes);
    });

    it('finds an image and gives its content id', async () => {
      const { image } = spec();
      const id = await runtime.ensureImage(image, 'never', {});
      expect(id).not.toBe('');
      expect(await runtime.ensureImage(image, 'if-missing', {})).toBe(id);
    });

    it('lists the images it has, also those that came with a task', async () => {
      const { image } = spec();
      await runtime.ensureImage(image, 'if-missing', {});
      const names = (await runtime.images()).map(({ name }) => name);
      expect(names.includes(familiarImage(image))).toBe(abilities.images);
    });

    it.runIf(abilities.images)('refuses an image that is not there', async () => {
      const image = 'cloudai/no-such-image:latest';
      await expect(runtime.ensureImage(image, 'never', {})).rejects.toMatchObject({
        code: 'image_not_found',
        message: expect.stringContaining(image),
      });
    });

    it.runIf(abilities.memory)('tells that a program was killed for memory', async () => {
      const resources = { cpuMillis: 500, memoryMb: 16, gpus: 0, storageMb: 0 };
      const { status } = await runToEnd(runtime, spec({ command: dialect.eatMemory(), resources }));
      expect(status).toMatchObject({ state: 'exited', oomKilled: true, exitCode: 137 });
    });

    it('measures what runs, and nothing else', async () => {
      const { id, ear } = await launch(runtime, spec({ command: dialect.beBusy() }));
      await ear.hears('up');
      const first = await waitFor(
        async () => {
          const usage = await runtime.measure(id);
          return usage && usage.cpuMs > 0 && usage.memoryMb >= 15 ? usage : null;
        },
        { what: 'a measurement', deadlineMs: 20_000 },
      );
      const later = await waitFor(
        async () => {
          const usage = await runtime.measure(id);
          return usage && usage.cpuMs >= first.cpuMs + 20 ? usage : null;
        },
        { what: 'more time of the processor', deadlineMs: 20_000 },
      );
      expect(later.at).toBeGreaterThan(first.at);
      expect(later.memoryMb).toBeLessThan(64);
      // By the same clocks, a core gives a millisecond in a millisecond.
      expect(later.cpuMs - first.cpuMs).toBeLessThan((later.at - first.at) * 4 + 1_000);
      expect(later.networkReceivedBytes + later.networkSentBytes).toBeGreaterThanOrEqual(0);
      await runtime.kill(id, 'SIGKILL');
      await runtime.wait(id);
      expect(await runtime.measure(id)).toBeNull();
      await runtime.remove(id);
      expect(await runtime.measure(id)).toBeNull();
    });

    fileSuite(() => ({ runtime, lives, workerId }), abilities);
  });
}
