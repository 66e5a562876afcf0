// A waiting runner over real HTTP, with the API's side played by the test.

import { connect } from 'node:net';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import { ADOPTION_BODY_MAX_BYTES } from '../../shared/contracts/adoption-schemas.ts';
import { newKeyShare, prove, seal } from '../../shared/platform/adoption-proof.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { gate } from '../../test/support/gate.ts';
import { makeSettings, playedApi, TOKEN } from '../../test/support/played-adoption.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { MOST_LINES, MOST_WRONG_PROOFS } from './desk.ts';
import { HANDSHAKE_MS, MOST_HANDSHAKES } from './handshakes.ts';
import { startWaiting, type Waiting, type WaitingParts } from './server.ts';

const settings = makeSettings();
const ASKED = 'asked by 127.0.0.1 to be worker-3; when nothing follows, its cluster has another token';
let nowMs: number;
let said: string[];
let kept: ClusterSettings[];
let adopted: ClusterSettings[];
let open: Waiting[];

beforeEach(() => {
  nowMs = 1_000;
  said = [];
  kept = [];
  adopted = [];
  open = [];
});
afterEach(async () => {
  await Promise.all(open.map((waiting) => waiting.stop()));
});

async function start(over: Partial<WaitingParts> = {}) {
  const waiting = await startWaiting({
    listen: { host: '127.0.0.1', port: 0 },
    token: TOKEN,
    workerId: null,
    clock: { now: () => nowMs, monotonic: () => nowMs },
    log: silentLog(),
    faultsOf: async () => [],
    keep: async (given) => void kept.push(given),
    say: (text) => said.push(text),
    ...over,
  });
  open.push(waiting);
  void waiting.adopted.then((given) => adopted.push(given));
  return { waiting, api: playedApi(waiting.port), port: waiting.port };
}

describe('a runner that waits', () => {
  it('is adopted by an API that holds the token, and proves that it holds it, too', async () => {
    const { api, waiting } = await start();
    const hello = await api.hello();
    expect(api.isTrusted(hello)).toBe(true);
    const reply = await api.settings(hello, settings);
    expect(reply.status).toBe(200);
    expect(api.isAccepted(hello, reply)).toBe(true);
    expect(await waiting.adopted).toEqual(settings);
    expect(kept).toEqual([settings]);
    expect(said).toEqual([ASKED, 'adopted as worker-3 by 127.0.0.1']);
  });

  it('tells nobody without the token anything, and takes nothing', async () => {
    const { port, api: right } = await start();
    const stranger = playedApi(port, 'another token that is long enough, too');
    const hello = await stranger.hello();
    // The stranger sees that this is not its cluster's runner…
    expect(stranger.isTrusted(hello)).toBe(false);
    // … and going on all the same leads nowhere.
    expect(await stranger.settings(hello, settings)).toMatchObject({ status: 403, body: { code: 'token' } });
    expect(said).toEqual([ASKED, 'someone at 127.0.0.1 tried with a wrong token']);
    expect(kept).toEqual([]);
    expect(await right.adopt(settings)).toBe(true);
  });

  it('does not take its own proof for the proof of the API', async () => {
    const { api } = await start();
    const hello = await api.hello();
    const { sealed, nonce } = api.request(hello, settings);
    const echoed = { nonce, sealed, proof: hello.reply.proof };
    expect(await api.send('/adoption/settings', echoed)).toMatchObject({ status: 403 });
  });

  it('does not go on with a handshake twice, be it right or wrong', async () => {
    const { api } = await start({ faultsOf: async () => ['the store is away'] });
    const request = api.request(await api.hello(), settings);
    expect(await api.send('/adoption/settings', request)).toMatchObject({ status: 422 });
    expect(await api.send('/adoption/settings', request)).toMatchObject({
      status: 410,
      body: { code: 'expired' },
    });
    const wrong = await api.hello();
    const { nonce, sealed } = api.request(wrong, settings);
    await api.send('/adoption/settings', { nonce, sealed, proof: wrong.reply.proof });
    expect(await api.settings(wrong, settings)).toMatchObject({ status: 410 });
  });

  it('does not take what was said in another handshake', async () => {
    const { api } = await start();
    const [one, other] = [await api.hello(), await api.hello()];
    const request = api.request(one, settings);
    const moved = { ...request, nonce: other.transcript.runnerNonce };
    expect(await api.send('/adoption/settings', moved)).toMatchObject({ status: 403 });
    const third = await api.hello();
    const mixed = { ...api.request(third, settings), sealed: request.sealed };
    expect(await api.send('/adoption/settings', mixed)).toMatchObject({
      status: 400,
      body: { code: 'invalid_request', message: 'the sealed settings cannot be opened' },
    });
    expect(kept).toEqual([]);
  });

  it('does not take settings sealed for keys that somebody in between has put in', async () => {
    const { api, port } = await start();
    // The one in between gives the runner a key of its own and passes the rest on.
    const [honest, middle] = [newKeyShare(), newKeyShare()];
    const said = { version: 1, worker_id: 'worker-3', address: `127.0.0.1:${port}` } as const;
    const { body } = await api.send<{ nonce: string; public_key: string }>('/adoption/hello', {
      ...said,
      nonce: honest.nonce,
      public_key: middle.publicKey,
    });
    const transcript = {
      version: 1,
      workerId: said.worker_id,
      address: said.address,
      apiNonce: honest.nonce,
      apiPublicKey: honest.publicKey,
      runnerNonce: body.nonce,
      runnerPublicKey: body.public_key,
    };
    const request = {
      nonce: body.nonce,
      proof: prove(TOKEN, 'api', transcript),
      sealed: seal(settings, TOKEN, honest, body.public_key, transcript),
    };
    expect(await api.send('/adoption/settings', request)).toMatchObject({ status: 403 });
  });

  it('forgets a handshake after a while', async () => {
    const { api } = await start();
    const [early, late] = [await api.hello(), await api.hello()];
    nowMs += HANDSHAKE_MS - 1;
    expect(await api.settings(early, { ...settings, WORKER_ID: 'other' })).toMatchObject({ status: 409 });
    nowMs += 1;
    expect(await api.settings(late, settings)).toMatchObject({ status: 410, body: { code: 'expired' } });
  });

  it('holds few handshakes at a time, and a flood does not keep the newest from going on', async () => {
    const { api } = await start();
    const first = await api.hello();
    for (let n = 0; n < MOST_HANDSHAKES; n += 1) await api.hello();
    const last = await api.hello();
    expect(await api.settings(first, settings)).toMatchObject({ status: 410 });
    expect(await api.settings(last, settings)).toMatchObject({ status: 200 });
  });

  it('stops listening to an address that was wrong too often, for a minute', async () => {
    const { api } = await start();
    for (let n = 0; n < MOST_WRONG_PROOFS; n += 1) {
      const hello = await api.hello();
      const { nonce, sealed } = api.request(hello, settings);
      await api.send('/adoption/settings', { nonce, sealed, proof: hello.reply.proof });
    }
    await expect(api.hello()).rejects.toThrow(/too many wrong tokens/);
    expect(said.filter((line) => line !== ASKED)).toHaveLength(MOST_WRONG_PROOFS);
    expect(said.filter((line) => line === ASKED)).toHaveLength(MOST_LINES);
    nowMs += 60_000;
    expect(await api.adopt(settings)).toBe(true);
  });

  it('takes the settings of one when two come at once', async () => {
    const trial = gate();
    let isTrying = false;
    const faultsOf = async () => {
      isTrying = true;
      await trial.opened;
      return [];
    };
    const { api } = await start({ faultsOf });
    const [one, other] = [await api.hello('worker-3'), await api.hello('worker-4')];
    const first = api.settings(one, settings);
    await waitFor(() => isTrying, { what: 'the first to be tried' });
    const second = await api.settings(other, { ...settings, WORKER_ID: 'worker-4' });
    expect(second).toMatchObject({ status: 409, body: { code: 'adopted' } });
    trial.open();
    expect(await first).toMatchObject({ status: 200 });
    expect(kept).toEqual([settings]);
  });

  it('can be asked again when the settings did not work, and says why they did not', async () => {
    let faults = ['Redis at redis.example:6379: connection refused'];
    const { api } = await start({ faultsOf: async () => faults });
    expect(await api.settings(await api.hello(), settings)).toMatchObject({
      status: 422,
      body: {
        code: 'settings',
        message:
          'worker-3 cannot work with the settings of this cluster: Redis at redis.example:6379: connection refused',
      },
    });
    expect(kept).toEqual([]);
    faults = [];
    expect(await api.adopt(settings)).toBe(true);
  });

  it('does not say that it took what it could not keep', async () => {
    const { api } = await start({
      keep: () => Promise.reject(new Error('no space left on device')),
    });
    expect(await api.settings(await api.hello(), settings)).toMatchObject({
      status: 422,
      body: { code: 'settings', message: expect.stringContaining('no space left') },
    });
    expect(adopted).toEqual([]);
  });

  it('is nobody else than it was started to be', async () => {
    const { api } = await start({ workerId: 'worker-7' });
    expect(await api.settings(await api.hello(), settings)).toMatchObject({
      status: 409,
      body: { code: 'worker_id', message: expect.stringMatching(/worker-7 .*not worker-3/) },
    });
    // Nor is it, within one exchange, first one and then another.
    const hello = await api.hello('worker-7');
    expect(await api.settings(hello, settings)).toMatchObject({ body: { code: 'worker_id' } });
    expect(await api.adopt({ ...settings, WORKER_ID: 'worker-7' })).toBe(true);
  });

  it('refuses another version in words, whatever else that version has', async () => {
    const { api } = await start();
    expect(await api.send('/adoption/hello', { version: 2, greeting: 'hi' })).toMatchObject({
      status: 400,
      body: { code: 'version', message: expect.stringContaining('version 1 of adoption, not 2') },
    });
  });

  it('refuses settings that are not whole', async () => {
    const { api } = await start();
    const { REDIS_URL: _, ...rest } = settings;
    expect(await api.settings(await api.hello(), rest)).toMatchObject({
      status: 422,
      body: { code: 'settings', message: expect.stringContaining('"REDIS_URL" is required') },
    });
    expect(await api.settings(await api.hello(), [settings])).toMatchObject({ status: 422 });
  });

  it('says what it is', async () => {
    const { port } = await start();
    const response = await fetch(`http://127.0.0.1:${port}/`);
    expect(await response.text()).toBe(
      'A CloudAI runner that waits for its cluster: an admin adds it with "cloudai register".\n',
    );
  });

  it('says so when its port is taken', async () => {
    const { port } = await start();
    await expect(start({ listen: { host: '127.0.0.1', port } })).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringMatching(/RUNNER_LISTEN cannot be used: .*EADDRINUSE/),
    });
  });
});

describe('garbage', () => {
  const REFUSED = [400, 404, 410, 413, 415];

  it('of any kind is refused, and the runner waits on', async () => {
    const { api } = await start();
    const path = fc.constantFrom('/adoption/hello', '/adoption/settings');
    const body = fc.oneof(
      fc.json(),
      fc.string(),
      fc.record(
        {
          version: fc.constant(1),
          worker_id: fc.anything(),
          address: fc.string(),
          nonce: fc.base64String(),
          public_key: fc.base64String(),
          proof: fc.anything(),
          sealed: fc.dictionary(fc.constantFrom('iv', 'data', 'tag'), fc.base64String()),
        },
        { requiredKeys: [] },
      ),
    );
    await fc.assert(
      fc.asyncProperty(path, body, async (to, given) => {
        const { status, body: reply } = await api.send(to, given ?? null);
        expect(REFUSED).toContain(status);
        expect(reply).toMatchObject({ code: expect.any(String), message: expect.any(String) });
      }),
      { numRuns: 150 },
    );
    expect(kept).toEqual([]);
    expect(await api.adopt(settings)).toBe(true);
  });

  it('with the form of a request but a key that is none is refused', async () => {
    const { api, port } = await start();
    const zero = Buffer.alloc(32).toString('base64');
    const { body } = await api.send<{ nonce: string; public_key: string }>('/adoption/hello', {
      version: 1,
      worker_id: 'worker-3',
      address: `127.0.0.1:${port}`,
      nonce: zero,
      public_key: zero,
    });
    const mine = newKeyShare();
    const transcript = {
      version: 1,
      workerId: 'worker-3',
      address: `127.0.0.1:${port}`,
      apiNonce: zero,
      apiPublicKey: zero,
      runnerNonce: body.nonce,
      runnerPublicKey: body.public_key,
    };
    const request = {
      nonce: body.nonce,
      proof: prove(TOKEN, 'api', transcript),
      sealed: seal(settings, TOKEN, mine, body.public_key, transcript),
    };
    expect(await api.send('/adoption/settings', request)).toMatchObject({ status: 400 });
  });

  it('that is too large, or no JSON, or goes elsewhere, is refused in the form of a refusal', async () => {
    const { api, port } = await start();
    const large = { padding: 'x'.repeat(ADOPTION_BODY_MAX_BYTES) };
    expect(await api.send('/adoption/hello', large)).toMatchObject({
      status: 413,
      body: { code: 'invalid_request' },
    });
    expect(await api.send('/adoption/hello', '{"version":')).toMatchObject({ status: 400 });
    expect(await api.send('/elsewhere', {})).toMatchObject({
      status: 404,
      body: { code: 'invalid_request' },
    });
    const form = await fetch(`http://127.0.0.1:${port}/adoption/hello`, {
      method: 'POST',
      body: new URLSearchParams({ a: 'b' }),
    });
    expect(form.status).toBe(415);
  });

  it('that is no HTTP ends the connection', async () => {
    const { port } = await start();
    const answer = await new Promise<string>((done, refused) => {
      const socket = connect(port, '127.0.0.1', () => socket.write('\0\0\0hello\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      socket.on('close', () => done(text));
      socket.on('error', refused);
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400/);
  });
});
