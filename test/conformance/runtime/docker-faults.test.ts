// The Docker runtime while the way to the engine breaks: real engine, real containers, a socket in between that the
// test can cut.

import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { shell } from './dialects.ts';
import { docker, openWire, type Wire } from './engine.ts';
import { Ear, launch, makeContainerSpec, removeAll } from './runs.ts';

const workerId = uniqueName('w-');
const open = (dockerHost: string) =>
  openDockerRuntime({ dockerHost, log: silentLog(), networkSlots: 0, workerId });

describe('an engine that cannot be reached', () => {
  it.each(['unix:///no/such/docker.sock', 'tcp://127.0.0.1:1', 'http://127.0.0.1:1'])(
    'at %s is reported at once by every call',
    async (dockerHost) => {
      const runtime = await open(dockerHost);
      const began = performance.now();
      const fault = { code: 'runtime_unavailable', retryable: true };
      await expect(runtime.info()).rejects.toMatchObject(fault);
      await expect(runtime.ensureImage('x', 'never', {})).rejects.toMatchObject(fault);
      await expect(runtime.ensureImage('x', 'always', {})).rejects.toMatchObject(fault);
      await expect(runtime.create(makeContainerSpec(workerId))).rejects.toMatchObject(fault);
      await expect(runtime.start('x')).rejects.toMatchObject(fault);
      await expect(runtime.inspect('x')).rejects.toMatchObject(fault);
      await expect(runtime.list(workerId)).rejects.toMatchObject(fault);
      await expect(runtime.kill('x', 'SIGKILL')).rejects.toMatchObject(fault);
      await expect(runtime.remove('x')).rejects.toMatchObject(fault);
      await expect(runtime.attach('x', () => undefined)).rejects.toMatchObject(fault);
      expect(performance.now() - began).toBeLessThan(5_000);
      await runtime.close();
    },
  );

  it('says what to do', async () => {
    const runtime = await open('unix:///no/such/docker.sock');
    await expect(runtime.info()).rejects.toThrow(/is Docker installed and running/);
    await runtime.close();
  });

  it.each(['ftp://x', 'tcp://', 'nonsense'])(
    'because %s is no address is a wrong setting',
    async (address) => {
      await expect(open(address)).rejects.toMatchObject({ code: 'bad_config' });
    },
  );
});

describe('the log of a container that ends before all of it was read', () => {
  it('is given whole, although the engine ends it early for those who follow', async () => {
    const runtime = await open('');
    try {
      const command = 'i=0; while [ $i -lt 20 ]; do i=$((i+1)); seq $i 20 200000; sleep 0.1; done';
      const { id, ear, done } = await launch(runtime, makeContainerSpec(workerId, { command }));
      await ear.hears('\n199984\n');
      const ended = runtime.wait(id);
      const replayed = new Ear();
      let chunks = 0;
      const replay = await runtime.replay(id, async (stream, chunk) => {
        replayed.sink(stream, chunk);
        chunks += 1;
        if (chunks === 10) await ended;
      });
      await Promise.all([replay.done, done]);
      expect(ear.stdout.split('\n').length).toBe(200_001);
      expect(replayed.stdout === ear.stdout).toBe(true);
    } finally {
      await removeAll(runtime, workerId);
      await runtime.close();
    }
  });
});

describe('a connection that breaks', () => {
  let wire: Wire;
  let runtime: ContainerRuntime;

  beforeEach(async () => {
    wire = await openWire();
    runtime = await open(wire.dockerHost);
  });
  afterEach(async () => {
    await runtime.close();
    await wire.dispose();
  });
  afterAll(async () => {
    const direct = await open('');
    await removeAll(direct, workerId);
    await direct.close();
  });

  it('does not end waiting', async () => {
    const { id, ear } = await launch(runtime, makeContainerSpec(workerId, { command: shell.endOnTerm(5) }));
    await ear.hears('up');
    const ended = runtime.wait(id);
    for (let n = 0; n < 3; n += 1) {
      wire.cut();
      expect(await waitFor(() => runtime.inspect(id), { what: 'a new connection' })).toMatchObject({
        state: 'running',
      });
    }
    await runtime.kill(id, 'SIGTERM');
    expect((await ended).exitCode).toBe(5);
  });

  it('loses and repeats no output', async () => {
    const command =
      'n=0; while [ $n -lt 200 ]; do n=$((n+1)); echo out $n; echo err $n >&2; sleep 0.01; done';
    const { id, ear, done } = await launch(runtime, makeContainerSpec(workerId, { command }));
    for (const n of [5, 40, 90]) {
      await ear.hears(`out ${n}\n`);
      wire.cut();
    }
    await runtime.wait(id);
    await done;
    const numbered = (word: string) => Array.from({ length: 200 }, (_, n) => `${word} ${n + 1}\n`).join('');
    expect(ear.stdout).toBe(numbered('out'));
    expect(ear.stderr).toBe(numbered('err'));
  });

  it('before the start loses nothing, also when the program has ended before anybody could look', async () => {
    const id = await runtime.create(makeContainerSpec(workerId, { command: shell.lines(3) }));
    const ear = new Ear();
    const { done } = await runtime.attach(id, ear.sink);
    const release = wire.cutAndHold();
    await docker.getContainer(id).start();
    await docker.getContainer(id).wait();
    release();
    await done;
    expect(ear.stdout).toBe('line 1\nline 2\nline 3\n');
  });

  it('may stay away for a while', async () => {
    const { id, ear, done } = await launch(
      runtime,
      makeContainerSpec(workerId, { command: shell.count(20) }),
    );
    const ended = runtime.wait(id);
    await ear.hears('3\n');
    await wire.close();
    await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'runtime_unavailable' });
    await waitFor(async () => !(await docker.getContainer(id).inspect()).State.Running, {
      what: 'the container to end meanwhile',
    });
    await wire.reopen();
    expect((await ended).exitCode).toBe(0);
    await done;
    expect(ear.stdout).toBe(Array.from({ length: 20 }, (_, n) => `${n + 1}\n`).join(''));
  });

  it('that stays away ends waiting and reading with a fault', async () => {
    const { id, ear, done } = await launch(
      runtime,
      makeContainerSpec(workerId, { command: shell.ignoreTerm() }),
    );
    await ear.hears('up');
    const ended = runtime.wait(id);
    await wire.close();
    await expect(ended).rejects.toMatchObject({ code: 'runtime_unavailable', retryable: true });
    await expect(done).rejects.toMatchObject({ code: 'runtime_unavailable', retryable: true });
  });

  it('is closed with everything that waits on it', async () => {
    const { id, ear } = await launch(runtime, makeContainerSpec(workerId, { command: shell.ignoreTerm() }));
    await ear.hears('up');
    const ended = runtime.wait(id);
    await runtime.close();
    await expect(ended).rejects.toMatchObject({ code: 'runtime_unavailable' });
    await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'runtime_unavailable' });
  });
});

describe('reading and writing through many connections', () => {
  let runtime: ContainerRuntime;
  beforeAll(async () => {
    runtime = await open('');
  });
  afterAll(async () => {
    await removeAll(runtime, workerId);
    await runtime.close();
  });

  it('leaves no socket behind', async () => {
    const sockets = () => process.getActiveResourcesInfo().filter((kind) => kind === 'PipeWrap').length;
    const { id, ear, done } = await launch(runtime, makeContainerSpec(workerId, { command: shell.count(5) }));
    const before = sockets();
    for (let n = 0; n < 20; n += 1) (await runtime.replay(id, new Ear().sink)).close();
    for (let n = 0; n < 20; n += 1) await runtime.wait(id, AbortSignal.timeout(1)).catch(() => undefined);
    await runtime.wait(id);
    await done;
    expect(ear.stdout).toBe('1\n2\n3\n4\n5\n');
    await waitFor(() => sockets() <= before + 2, { what: 'the sockets to be closed' });
  });
});
