// POST /api/workers where it cannot be: runners that must not be taken in, are slow or misbehave, and settings of the
// cluster that do not allow it.

import type { ServerResponse } from 'node:http';
import { createServer, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { freePort } from '../support/cluster.ts';
import { gate } from '../support/gate.ts';
import { makeRegistration } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import type { Refused } from './harness.ts';
import { registrationStage } from './registration-stage.ts';

const stage = registrationStage();
const { open, register, listed, startRunner, joined } = stage;

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
    expect(await stage.test.store.registrations.list()).toEqual([]);
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
    const runner = await startRunner();
    runner.refuse('settings', { code, message: 'the\x1b[2J\n\u202ewords'.replace('[2J', '') });
    await refused(runner.address, words);
  });

  it('has words that are cut and plain', async () => {
    const runner = await startRunner();
    runner.refuse('hello', { code: 'settings', message: `\x1b[31mred${'x'.repeat(5_000)}` });
    const { body } = await register(runner.address);
    expect(body.message).not.toContain('\x1b');
    expect(body.message.length).toBeLessThan(500);
  });

  it('because it proves nothing at the end', async () => {
    const runner = await startRunner();
    const proof = Buffer.alloc(32).toString('base64');
    runner.on('settings', (reply) => reply.end(JSON.stringify({ proof })));
    await refused(runner.address, /does not hold this cluster's token/);
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
    const runner = await startRunner();
    runner.on('hello', answer);
    await refused(runner.address, /is no runner that waits/);
    expect(runner.asked).toEqual(['hello']);
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
    const runner = await startRunner({ port });
    runner.refuse('hello', { code: 'settings', message: 'cannot reach redis at 10.0.0.9' });
    const seen = await waitFor(
      async () => (await listed()).find(({ message }) => message?.includes('cannot reach redis')),
      { what: 'the refusal' },
    );
    expect(seen.state).toBe('unreachable');
    runner.on('hello', null);
    await joined();
  });
});

describe('a runner that is slow', () => {
  it('or silent is unreachable, and may answer later', async () => {
    await open({}, { helloMs: 100 });
    const runner = await startRunner();
    runner.on('hello', () => undefined);
    const reply = await register(runner.address);
    expect(reply).toMatchObject({ status: 202, body: { state: 'unreachable' } });
    expect(reply.body.message).toContain('no answer within 0.1 s');
    runner.on('hello', null);
    await joined();
  });

  it('or closes the connection is unreachable', async () => {
    const runner = await startRunner();
    runner.on('hello', (reply) => reply.destroy());
    expect(await register(runner.address)).toMatchObject({ status: 202, body: { state: 'unreachable' } });
  });

  it('to try the settings keeps no admin waiting, and what comes of it is kept', async () => {
    await open({}, { answerMs: 100, pauseMs: () => 60_000 });
    const trial = gate();
    const runner = await startRunner({ onTaken: () => trial.opened });
    const reply = await register(runner.address);
    expect(reply).toMatchObject({ status: 202, body: { state: 'unreachable' } });
    expect(reply.body.message).toContain('is being called');
    trial.open();
    await waitFor(async () => (await listed())[0]?.message?.includes('has joined'), { what: 'its answer' });
    expect(runner.asked).toEqual(['hello', 'settings']);
  });

  it('does not hold up the stop of the API', async () => {
    await open();
    const runner = await startRunner();
    runner.on('hello', () => undefined);
    const call = register(runner.address);
    await waitFor(() => runner.asked.length === 1, { what: 'the call' });
    await stage.test.api.stop();
    expect((await call).status).toBe(503);
    // Its lease stands, so another copy tries it later.
    expect(await stage.test.store.registrations.list()).toHaveLength(1);
  });

  it('and is removed meanwhile gets no settings', async () => {
    const remove = () => stage.test.call('DELETE', '/api/workers/worker-3', { as: stage.admin });
    const runner = await startRunner({ onHello: remove });
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
    const reply = await stage.test.call<Refused>('POST', '/api/workers', { as: stage.admin, body });
    expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request', details: [{ field }] } });
    expect(reply.body.message).toMatch(words);
  });

  it('is for admins only', async () => {
    const alice = await stage.test.signUp('alice');
    expect((await register('127.0.0.1:1', 'w', alice)).status).toBe(403);
    expect((await register('127.0.0.1:1', 'w', null)).status).toBe(401);
  });

  it('is a second worker of one name', async () => {
    await stage.test.store.workers.register(makeRegistration({ id: 'worker-3', address: 'node7' }));
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
    expect(await stage.test.store.registrations.list()).toEqual([]);
  });
});
