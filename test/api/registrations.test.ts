// POST /api/workers: workers that are registered by hand, from the first call until they have joined.

import { describe, expect, it } from 'vitest';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import { freePort } from '../support/cluster.ts';
import { makeRegistration } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Refused } from './harness.ts';
import { PACE, type Reply, registrationStage, TOKEN } from './registration-stage.ts';

const stage = registrationStage();
const { open, register, listed, startRunner, joined } = stage;

describe('a worker whose runner waits', () => {
  it('joins at once, and gets the settings of this cluster', async () => {
    const { address, taken } = await startRunner();
    const reply = await register(address);
    expect(reply).toMatchObject({
      status: 201,
      body: { worker_id: 'worker-3', state: 'ready', message: null, address: '127.0.0.1' },
    });
    const { config } = stage.test;
    expect(taken).toEqual([
      {
        STORE_URL: `sqlite:${config.dataDir}/cloudai.db`,
        REDIS_URL: config.redisUrl,
        REDIS_PREFIX: config.redisPrefix,
        FILES_URL: `file:${config.dataDir}/files`,
        WORKER_LEASE_SECONDS: 15,
        WORKER_ID: 'worker-3',
        WORKER_ADDRESS: '127.0.0.1',
      },
    ]);
    expect(await stage.test.store.registrations.list()).toEqual([]);
  });

  it('is told the names by which runners reach store, Redis and files', async () => {
    await open({
      RUNNER_STORE_URL: 'sqlite:/srv/shared/x.db',
      RUNNER_REDIS_URL: 'redis://:pw@redis.example:6379',
      RUNNER_FILES_URL: 'file:///srv/files',
      WORKER_LEASE_SECONDS: '7',
    });
    const { address, taken } = await startRunner();
    expect((await register(address)).status).toBe(201);
    expect(taken[0]).toMatchObject({
      STORE_URL: 'sqlite:/srv/shared/x.db',
      REDIS_URL: 'redis://:pw@redis.example:6379',
      FILES_URL: 'file:/srv/files',
      WORKER_LEASE_SECONDS: 7,
    });
  });

  it('that has joined but is not up yet is shown so, until it is', async () => {
    await open({}, { joinMs: 50, pauseMs: () => 60_000 });
    const runner = await startRunner({ onTaken: async () => undefined });
    const reply = await register(runner.address);
    expect(reply).toMatchObject({ status: 202, body: { state: 'unreachable' } });
    expect(reply.body.message).toMatch(/has joined; waiting for it to come up/);
    await stage.test.store.workers.register(makeRegistration({ id: 'worker-3' }));
    expect((await joined()).message).toBeNull();
    // Whatever is still written of how it came here says nothing any more.
    expect(await stage.test.store.registrations.list()).toHaveLength(1);
    expect((await stage.test.call('DELETE', '/api/workers/worker-3', { as: stage.admin })).status).toBe(204);
    expect(await stage.test.store.registrations.list()).toEqual([]);
  });
});

describe('a worker whose runner does not answer', () => {
  it('is unreachable everywhere, and joins by itself once the runner is there', async () => {
    const port = await freePort();
    const reply = await register(`LOCALHOST:${port}`);
    expect(reply.status).toBe(202);
    expect(reply.body).toMatchObject({
      worker_id: 'worker-3',
      state: 'unreachable',
      address: `localhost:${port}`,
      capacity: { cpu: 0, memory: 0, gpu: 0, storage: 0 },
      heartbeat_age_seconds: null,
      fingerprint: null,
    });
    expect(reply.body.message).toMatch(/^nobody answers at localhost:\d+: the connection was refused/);
    await stage.test.store.workers.register(makeRegistration({ id: 'worker-1' }));
    await stage.test.store.workers.register(makeRegistration({ id: 'worker-5' }));
    await joined('worker-5');
    expect((await listed()).map(({ worker_id, state }) => `${worker_id} ${state}`)).toEqual([
      'worker-1 ready',
      'worker-3 unreachable',
      'worker-5 ready',
    ]);
    const telemetry = (await stage.test.call<TelemetryReply>('GET', '/telemetry')).body;
    expect(telemetry.workers_by_state).toMatchObject({ ready: 2, unreachable: 1 });
    expect(telemetry.totals.capacity.cpu).toBe(8);
    expect(telemetry.workers).toHaveLength(3);
    expect((await stage.test.call<Reply>('GET', '/workers/worker-3')).body.state).toBe('unreachable');

    await startRunner({ port });
    expect(await joined()).toMatchObject({ message: null, capacity: { cpu: 4 } });
    await waitFor(async () => (await stage.test.store.registrations.list()).length === 0, {
      what: 'its end',
    });
  });

  it('is tried on by another API when this one is gone', async () => {
    const port = await freePort();
    await open();
    expect((await register(`127.0.0.1:${port}`)).status).toBe(202);
    await stage.test.api.stop();
    await startRunner({ port });
    const { nextAt } = (await stage.test.store.registrations.list())[0]!;
    const ahead = { now: () => nextAt + 1, monotonic: () => performance.now() };
    const other = await openTestApi({
      beside: stage.test,
      env: { CLUSTER_TOKEN: TOKEN },
      parts: () => ({ registrationPace: PACE, clock: ahead }),
    });
    try {
      await joined('worker-3', other);
    } finally {
      await other.close();
    }
  });

  it('is called by one of several copies at a time', async () => {
    const port = await freePort();
    await open({}, { pauseMs: () => 200 });
    const others = await Promise.all(
      [1, 2, 3].map(() =>
        openTestApi({
          beside: stage.test,
          env: { CLUSTER_TOKEN: TOKEN },
          parts: () => ({ registrationPace: { ...PACE, pauseMs: () => 200 } }),
        }),
      ),
    );
    try {
      expect((await register(`127.0.0.1:${port}`)).status).toBe(202);
      const runner = await startRunner({ port });
      await joined();
      expect(runner.asked).toEqual(['hello', 'settings']);
    } finally {
      for (const other of others) await other.close();
    }
  });

  it('stays with another address, and goes for good when it is removed', async () => {
    const [first, second] = [await freePort(), await freePort()];
    await register(`127.0.0.1:${first}`);
    expect((await register(`127.0.0.1:${second}`)).status).toBe(202);
    expect((await listed()).map(({ address }) => address)).toEqual([`127.0.0.1:${second}`]);
    for (const verb of ['cordon', 'uncordon', 'drain']) {
      const reply = await stage.test.call<Refused>('POST', `/api/workers/worker-3/${verb}`, {
        as: stage.admin,
      });
      expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(reply.body.message).toContain('wait until it has joined, or remove it');
    }
    expect((await stage.test.call('DELETE', '/api/workers/worker-3', { as: stage.admin })).status).toBe(204);
    expect(await listed()).toEqual([]);
    expect((await stage.test.call('DELETE', '/api/workers/worker-3', { as: stage.admin })).status).toBe(404);
  });

  it('and was there before is shown as it is, with what comes of calling it', async () => {
    await stage.test.store.workers.register(makeRegistration({ id: 'worker-3' }));
    await stage.test.store.workers.setLiveness('worker-3', 'down', 5);
    const port = await freePort();
    const reply = await register(`127.0.0.1:${port}`);
    expect(reply).toMatchObject({ status: 202, body: { state: 'down', capacity: { cpu: 4 } } });
    expect(reply.body.message).toContain('nobody answers');
    await startRunner({
      port,
      onTaken: () =>
        stage.test.store.workers.register(makeRegistration({ id: 'worker-3', incarnation: 'life-2' })),
    });
    await waitFor(async () => (await listed())[0]?.message === null, { what: 'the message to go' });
    await waitFor(async () => (await stage.test.store.registrations.list()).length === 0, {
      what: 'its end',
    });
  });
});
