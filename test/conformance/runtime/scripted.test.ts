import { describe, expect, it } from 'vitest';
import { createScriptedEngine, openScriptedRuntime } from '../../../shared/adapters/scripted/open.ts';
import { uniqueName } from '../../support/servers.ts';
import { scripted } from './dialects.ts';
import { makeContainerSpec, runToEnd } from './runs.ts';
import { runtimeSuite } from './runtime-suite.ts';

runtimeSuite(
  'scripted',
  async () => {
    const engine = createScriptedEngine();
    const runtime = openScriptedRuntime({ engine });
    return {
      runtime,
      reopen: async () => openScriptedRuntime({ engine }),
      dispose: () => runtime.close(),
    };
  },
  { dialect: scripted, images: true, memory: true, binaryReplay: true, readOnlyInput: false },
);

describe('the scripted runtime', () => {
  const workerId = uniqueName('w-');

  it('is cut off when its engine is', async () => {
    const engine = createScriptedEngine();
    const runtime = openScriptedRuntime({ engine });
    const id = await runtime.create(makeContainerSpec(workerId, { command: 'forever' }));
    await runtime.start(id);
    const waiting = runtime.wait(id);
    engine.setReachable(false);
    await expect(waiting).rejects.toMatchObject({ code: 'runtime_unavailable', retryable: true });
    await expect(runtime.inspect(id)).rejects.toMatchObject({ code: 'runtime_unavailable' });
    engine.setReachable(true);
    expect(await runtime.inspect(id)).toMatchObject({ state: 'running' });
  });

  it('pulls as slowly as the image says, until the caller gives up', async () => {
    const runtime = openScriptedRuntime();
    await expect(runtime.ensureImage('slow-60000', 'never', {})).rejects.toMatchObject({
      code: 'image_not_found',
    });
    const signal = AbortSignal.timeout(30);
    await expect(runtime.ensureImage('slow-60000', 'if-missing', { signal })).rejects.toMatchObject({
      code: 'timed_out',
    });
    expect(await runtime.ensureImage('slow-20', 'if-missing', {})).toBe('scripted:slow-20');
    expect(await runtime.ensureImage('slow-20', 'never', {})).toBe('scripted:slow-20');
    await expect(runtime.ensureImage('broken', 'always', {})).rejects.toMatchObject({
      code: 'image_pull_failed',
    });
  });

  it('holds thousands of containers', async () => {
    const engine = createScriptedEngine();
    const runtime = openScriptedRuntime({ engine });
    const runs = Array.from({ length: 3_000 }, (_, n) =>
      runToEnd(runtime, makeContainerSpec(workerId, { command: `sleep ${n % 50}; exit ${n % 7}` })),
    );
    const ended = await Promise.all(runs);
    expect(ended.every(({ status }, n) => status.exitCode === n % 7)).toBe(true);
    expect(engine.peakRunning).toBeGreaterThan(1_000);
    await Promise.all(ended.map(({ id }) => runtime.remove(id)));
    expect(engine.size).toBe(0);
  });

  it('loses a container on demand', async () => {
    const engine = createScriptedEngine();
    const runtime = openScriptedRuntime({ engine });
    const id = await runtime.create(makeContainerSpec(workerId, { command: 'forever' }));
    await runtime.start(id);
    engine.lose(id);
    expect(await runtime.inspect(id)).toBeNull();
  });
});
