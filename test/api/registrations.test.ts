// POST /api/workers: workers that are registered by hand, from the first call until they have joined.

import type { ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { afterAll, afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { RegistrationPace } from '../../api/services/registrations/registrations.ts';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import type { TelemetryReply, WorkerBody, WorkerListReply } from '../../shared/contracts/workers.ts';
import { freePort } from '../support/cluster.ts';
import { type PlayedRunner, playRunner } from '../support/played-runner.ts';
import { makeRegistration } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

const TOKEN = 'a-token-of-the-cluster-'.repeat(2);
/** Looks often and tries again at once; a slow answer is long in coming for a test, not for a machine under load. */
const PACE: Partial<RegistrationPace> = { pollMs: 20, pauseMs: () => 30 };

let shared: { test: TestApi; admin: Person } | null = null;
let test: TestApi;
let admin: Person;
let runner: PlayedRunner | null = null;

/** An API with settings or a pace of its own, for this test. */
const open = async (env: Record<string, string> = {}, pace: Partial<RegistrationPace> = {}) => {
  test = await openTestApi({
    env: { CLUSTER_TOKEN: TOKEN, ...env },
    parts: () => ({ registrationPace: { ...PACE, ...pace } }),
  });
  admin = await test.signUp('root');
};
beforeEach(async () => {
  if (!shared) {
    await open();
    shared = { test, admin };
  }
  ({ test, admin } = shared);
});
afterEach(async () => {
  await runner?.close();
  runner = null;
  if (test !== shared?.test) return test.close();
  const { registrations, workers } = test.store;
  for (const { id } of await registrations.list()) await registrations.remove(id);
  for (const { id } of await workers.list()) await workers.remove(id);
});
afterAll(() => shared?.test.close());

type Reply = WorkerBody & Refused;
const register = (address: string, id = 'worker-3', as: Person | null = admin) =>
  test.call<Reply>('POST', '/api/workers', { as, body: { id, address } });
const listed = async () => (await test.call<WorkerListReply>('GET', '/workers')).body.workers;

/** A waiting runner that registers as a worker once it has been taken in. */
const startRunner = async (options: { token?: string; port?: number } = {}) => {
  runner = await playRunner({ token: TOKEN, ...options, onTaken: join });
  return runner;
};
const join = ({ WORKER_ID, WORKER_ADDRESS }: ClusterSettings) =>
  test.store.workers.register(makeRegistration({ id: WORKER_ID, address: WORKER_ADDRESS }));

const joined = (id = 'worker-3', at = test) =>
  waitFor(
    async () => {
      const { body } = await at.call<WorkerListReply>('GET', '/workers');
      return body.workers.find((one) => one.worker_id === id && one.state === 'ready');
    },
    { what: `${id} to join` },
  );

describe('a worker whose runner waits', () => {
  it('joins at once, and gets the settings of this cluster', async () => {
    const { address, taken } = await startRunner();
    const reply = await register(address);
    expect(reply).toMatchObject({
      status: 201,
      body: { worker_id: 'worker-3', state: 'ready', message: null, address: '127.0.0.1' },
    });
    const { config } = test;
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
    expect(await test.store.registrations.list()).toEqual([]);
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
    runner = await playRunner({ token: TOKEN });
    const reply = await register(runner.address);
    expect(reply).toMatchObject({ status: 202, body: { state: 'unreachable' } });
    expect(reply.body.message).toMatch(/has joined; waiting for it to come up/);
    await test.store.workers.register(makeRegistration({ id: 'worker-3' }));
    expect((await joined()).message).toBeNull();
    // Whatever is still written of how it came here says nothing any more.
    expect(await test.store.registrations.list()).toHaveLength(1);
    expect((await test.call('DELETE', '/api/workers/worker-3', { as: admin })).status).toBe(204);
    expect(await test.store.registrations.list()).toEqual([]);
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
    await test.store.workers.register(makeRegistration({ id: 'worker-1' }));
    await test.store.workers.register(makeRegistration({ id: 'worker-5' }));
    await joined('worker-5');
    expect((await listed()).map(({ worker_id, state }) => `${worker_id} ${state}`)).toEqual([
      'worker-1 ready',
      'worker-3 unreachable',
      'worker-5 ready',
    ]);
    const telemetry = (await test.call<TelemetryReply>('GET', '/telemetry')).body;
    expect(telemetry.workers_by_state).toMatchObject({ ready: 2, unreachable: 1 });
    expect(telemetry.totals.capacity.cpu).toBe(8);
    expect(telemetry.workers).toHaveLength(3);
    expect((await test.call<Reply>('GET', '/workers/worker-3')).body.state).toBe('unreachable');

    await startRunner({ port });
    expect(await joined()).toMatchObject({ message: null, capacity: { cpu: 4 } });
    await waitFor(async () => (await test.store.registrations.list()).length === 0, { what: 'its end' });
  });

  it('is tried on by another API when this one is gone', async () => {
    const port = await freePort();
    await open();
    expect((await register(`127.0.0.1:${port}`)).status).toBe(202);
    await test.api.stop();
    await startRunner({ port });
    const { nextAt } = (await test.store.registrations.list())[0]!;
    const ahead = { now: () => nextAt + 1, monotonic: () => performance.now() };
    const other = await openTestApi({
      beside: test,
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
          beside: test,
          env: { CLUSTER_TOKEN: TOKEN },
          parts: () => ({ registrationPace: { ...PACE, pauseMs: () => 200 } }),
        }),
      ),
    );
    try {
      expect((await register(`127.0.0.1:${port}`)).status).toBe(202);
      await startRunner({ port });
      await joined();
      expect(runner?.asked).toEqual(['hello', 'settings']);
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
      const reply = await test.call<Refused>('POST', `/api/workers/worker-3/${verb}`, { as: admin });
      expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
      expect(reply.body.message).toContain('wait until it has joined, or remove it');
    }
    expect((await test.call('DELETE', '/api/workers/worker-3', { as: admin })).status).toBe(204);
    expect(await listed()).toEqual([]);
    expect((await test.call('DELETE', '/api/workers/worker-3', { as: admin })).status).toBe(404);
  });

  it('and was there before is shown as it is, with what comes of calling it', async () => {
    await test.store.workers.register(makeRegistration({ id: 'worker-3' }));
    await test.store.workers.setLiveness('worker-3', 'down', 5);
    const port = await freePort();
    const reply = await register(`127.0.0.1:${port}`);
    expect(reply).toMatchObject({ status: 202, body: { state: 'down', capacity: { cpu: 4 } } });
    expect(reply.body.message).toContain('nobody answers');
    runner = await playRunner({
      token: TOKEN,
      port,
      onTaken: () => test.store.workers.register(makeRegistration({ id: 'worker-3', incarnation: 'life-2' })),
    });
    await waitFor(async () => (await listed())[0]?.message === null, { what: 'the message to go' });
    await waitFor(async () => (await test.store.registrations.list()).length === 0, { what: 'its end' });
  });
});

function endless(reply: ServerResponse): void {
  reply.on('error', () => undefined);
  const more = () => {
    while (!reply.destroyed && reply.write(' '.repeat(65_536)));
  };
  reply.on('drain', more);
  more();
}

describe('a runner that must not be taken in', () => {
  const refused = async (address: string, words: RegExp) => {
    const reply = await register(address);
    expect(reply).toMatchObject({ status: 409, body: { code: 'adoption_refused' } });
    expect(reply.body.message).toMatch(words);
    expect(await test.store.registrations.list()).toEqual([]);
    expect(await listed()).toEqual([]);
  };

  it('because it does not hold the token gets no settings', async () => {
    const { address, asked } = await startRunner({ token: 'another-token-'.repeat(3) });
    await refused(address, /does not hold this cluster's token/);
    expect(asked).toEqual(['hello']);
  });

  it.each([
    ['token', /does not hold this cluster's token/],
    ['version', /another release/],
    ['adopted', /already part of a cluster: "the words"/],
    ['worker_id', /is to be another worker: "the words"/],
    ['settings', /cannot join this cluster: "the words"/],
    ['invalid_request', /does not understand this cluster/],
  ] as const)('because it refuses with %s says why', async (code, words) => {
    const { address } = await startRunner();
    runner?.refuse('settings', { code, message: 'the\x1b[2J\n\u202ewords'.replace('[2J', '') });
    await refused(address, words);
  });

  it('has words that are cut and plain', async () => {
    const { address } = await startRunner();
    runner?.refuse('hello', { code: 'settings', message: `\x1b[31mred${'x'.repeat(5_000)}` });
    const { body } = await register(address);
    expect(body.message).not.toContain('\x1b');
    expect(body.message.length).toBeLessThan(500);
  });

  it('because it proves nothing at the end', async () => {
    const { address } = await startRunner();
    const proof = Buffer.alloc(32).toString('base64');
    runner?.on('settings', (reply) => reply.end(JSON.stringify({ proof })));
    await refused(address, /does not hold this cluster's token/);
  });

  it.each<[string, (reply: ServerResponse) => void]>([
    ['a page', (reply) => reply.writeHead(404, { 'content-type': 'text/html' }).end('<h1>no</h1>')],
    ['another refusal', (reply) => reply.writeHead(400).end('{"code":"strange","message":"x"}')],
    ['a redirect', (reply) => reply.writeHead(307, { location: '/adoption/settings' }).end()],
    ['half an answer', (reply) => reply.end('{"nonce":"aaaa"}')],
    ['another type', (reply) => reply.end('{"nonce":1,"public_key":[],"proof":null}')],
    ['a huge answer', (reply) => reply.end(`"${'x'.repeat(1_000_000)}"`)],
    ['an endless answer', endless],
    ['a huge head', (reply) => reply.writeHead(200, { 'x-long': 'x'.repeat(15_000) }).end('{}')],
  ])('because it is none: %s', async (_what, answer) => {
    const { address } = await startRunner();
    runner?.on('hello', answer);
    await refused(address, /is no runner that waits/);
    expect(runner?.asked).toEqual(['hello']);
  });

  it('because it does not speak HTTP', async () => {
    const sockets = new Set<Socket>();
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.write('SSH-2.0-OpenSSH_9.2\r\n');
    });
    const port = await freePort();
    await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
    await refused(`127.0.0.1:${port}`, /is no runner that waits/);
    for (const socket of sockets) socket.destroy();
    await new Promise((done) => server.close(done));
  });

  it('in the background stays, says why, and is tried on', async () => {
    const port = await freePort();
    expect((await register(`127.0.0.1:${port}`)).status).toBe(202);
    await startRunner({ port });
    runner?.refuse('hello', { code: 'settings', message: 'cannot reach redis at 10.0.0.9' });
    const seen = await waitFor(
      async () => (await listed()).find(({ message }) => message?.includes('cannot reach redis')),
      { what: 'the refusal' },
    );
    expect(seen.state).toBe('unreachable');
    runner?.on('hello', null);
    await joined();
  });
});

describe('a runner that is slow', () => {
  it('or silent is unreachable, and may answer later', async () => {
    await open({}, { helloMs: 100 });
    const { address } = await startRunner();
    runner?.on('hello', () => undefined);
    const reply = await register(address);
    expect(reply).toMatchObject({ status: 202, body: { state: 'unreachable' } });
    expect(reply.body.message).toContain('no answer within 0.1 s');
    runner?.on('hello', null);
    await joined();
  });

  it('or closes the connection is unreachable', async () => {
    const { address } = await startRunner();
    runner?.on('hello', (reply) => reply.destroy());
    expect(await register(address)).toMatchObject({ status: 202, body: { state: 'unreachable' } });
  });

  it('to try the settings keeps no admin waiting, and what comes of it is kept', async () => {
    await open({}, { answerMs: 100, pauseMs: () => 60_000 });
    let answer: () => void = () => undefined;
    const tried = new Promise<void>((done) => {
      answer = done;
    });
    runner = await playRunner({ token: TOKEN, onTaken: () => tried });
    const reply = await register(runner.address);
    expect(reply).toMatchObject({ status: 202, body: { state: 'unreachable' } });
    expect(reply.body.message).toContain('is being called');
    answer();
    await waitFor(async () => (await listed())[0]?.message?.includes('has joined'), { what: 'its answer' });
    expect(runner.asked).toEqual(['hello', 'settings']);
  });

  it('does not hold up the stop of the API', async () => {
    await open();
    const { address } = await startRunner();
    runner?.on('hello', () => undefined);
    const call = register(address);
    await waitFor(() => runner?.asked.length === 1, { what: 'the call' });
    await test.api.stop();
    expect((await call).status).toBe(503);
    // Its lease stands, so another copy tries it later.
    expect(await test.store.registrations.list()).toHaveLength(1);
  });

  it('and is removed meanwhile gets no settings', async () => {
    const remove = () => test.call('DELETE', '/api/workers/worker-3', { as: admin });
    runner = await playRunner({ token: TOKEN, onHello: remove });
    expect((await register(runner.address)).status).toBe(404);
    expect(runner.asked).toEqual(['hello']);
    expect(await listed()).toEqual([]);
  });
});

describe('what cannot be', () => {
  it.each([
    [{ id: 'a b', address: '10.0.0.3' }, 'id', /"id" must be 1 to 63 letters/],
    [{ id: 'w', address: 'http://10.0.0.3' }, 'address', /"address" must be a host and a port without/],
    [{ id: 'w', address: '10.0.0.3:99999' }, 'address', /"address" has the port "99999"/],
    [{ id: 'w' }, 'address', /"address" is required/],
    [{ id: 'w', address: 'a', more: 1 }, 'more', /not a known field/],
  ])('is named: %j', async (body, field, words) => {
    const reply = await test.call<Refused>('POST', '/api/workers', { as: admin, body });
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request', details: [{ field }] } });
    expect(reply.body.message).toMatch(words);
  });

  it('is for admins only', async () => {
    const alice = await test.signUp('alice');
    expect((await register('127.0.0.1:1', 'w', alice)).status).toBe(403);
    expect((await register('127.0.0.1:1', 'w', null)).status).toBe(401);
  });

  it('is a second worker of one name', async () => {
    await test.store.workers.register(makeRegistration({ id: 'worker-3', address: 'node7' }));
    const { address, asked } = await startRunner();
    const reply = await register(address);
    expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(reply.body.message).toContain('worker-3 is up already, at node7');
    expect(asked).toEqual([]);
  });

  it('is a cluster without a token', async () => {
    await open({ CLUSTER_TOKEN: '' });
    const reply = await register('127.0.0.1:50052');
    expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(reply.body.message).toContain('set CLUSTER_TOKEN');
  });

  it('is another machine on the store, Redis and folder of this one', async () => {
    await open({ REDIS_URL: 'redis://:secret@127.0.0.1:6379' });
    const reply = await register('192.168.1.102');
    expect(reply).toMatchObject({ status: 409, body: { code: 'conflict' } });
    expect(reply.body.details.map(({ field }) => field)).toEqual([
      'STORE_URL',
      'RUNNER_REDIS_URL',
      'RUNNER_FILES_URL',
    ]);
    expect(reply.body.message).toMatch(
      /192\.168\.1\.102:50052 could not work in this cluster: .*STORE_URL=mongodb/,
    );
    expect(reply.text).not.toContain('secret');
    expect(await test.store.registrations.list()).toEqual([]);
  });
});
