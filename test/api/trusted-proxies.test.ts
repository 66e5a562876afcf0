// Whose address is counted, written down and logged when a proxy stands in front: over REST and over gRPC.

import { credentials, status } from '@grpc/grpc-js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { WINDOW_SECONDS } from '../../api/services/request-limits.ts';
import { createLog } from '../../shared/platform/log.ts';
import { freePort } from '../support/cluster.ts';
import { waitFor } from '../support/wait-for.ts';
import { openClient } from './grpc/client.ts';
import { openTestApi, type Refused, type TestApiOptions } from './harness.ts';

const LIMIT = WINDOW_SECONDS;
const A = '203.0.113.1';
const B = '203.0.113.2';

/** Requests of a test come from 127.0.0.1, which is the proxy. */
async function open(trusted = '127.0.0.1,10.0.0.0/8', more: TestApiOptions = {}) {
  const env = { TRUSTED_PROXIES: trusted, RATE_LIMIT_ANONYMOUS: '1', ...more.env };
  const test = await openTestApi({ ...more, env });
  onTestFinished(() => test.close());
  const from = (forwarded: string, headers: Record<string, string> = {}) =>
    test.call<Refused>('GET', '/workers', { headers: { 'x-forwarded-for': forwarded, ...headers } });
  return { test, from };
}

async function times(count: number, act: (n: number) => Promise<{ status: number }>): Promise<number[]> {
  const statuses: number[] = [];
  for (let n = 0; n < count; n += 1) statuses.push((await act(n)).status);
  return statuses;
}

describe('behind a trusted proxy', () => {
  it('each client is counted for itself, whatever it writes about others', async () => {
    const { from } = await open();
    // All counted under one address, though each claims to come by another one.
    const statuses = await times(LIMIT + 3, (n) => from(`198.51.100.${n}, ${A}, 10.0.0.9`));
    expect(statuses.filter((one) => one === 429).length).toBeGreaterThan(0);
    expect((await from(B)).status).toBe(200);
  });

  it('the audit log and the log of requests name the client', async () => {
    const lines: Record<string, unknown>[] = [];
    const { test } = await open(undefined, {
      parts: () => ({ log: createLog('api', 'info', { write: (text) => lines.push(JSON.parse(text)) }) }),
    });
    const root = await test.join('root', { role: 'admin' });
    const headers = { 'x-forwarded-for': `1.2.3.4, ${A}` };
    const body = { username: 'root', password: 'wrong-password' };
    expect((await test.call('POST', '/api/auth/login', { body, headers })).status).toBe(401);
    const entries = async () =>
      (await test.call<{ entries: object[] }>('GET', '/api/audit', { as: root })).body.entries;
    await waitFor(async () => (await entries()).length > 0, { what: 'an entry' });
    expect(await entries()).toMatchObject([{ action: 'account.sign_in', target: 'root', address: A }]);
    await waitFor(() => lines.some(({ path }) => path === '/api/auth/login'), { what: 'a line of the log' });
    expect(lines.find(({ path }) => path === '/api/auth/login')).toMatchObject({ address: A });
  });

  it('browsers that asked it over TLS are told to stay with TLS, and the cookie of the board is for TLS alone', async () => {
    const { test, from } = await open();
    const hsts = 'strict-transport-security';
    expect((await from(A, { 'x-forwarded-proto': 'https' })).headers[hsts]).toBe('max-age=31536000');
    expect((await from(A, { 'x-forwarded-proto': 'http' })).headers[hsts]).toBeUndefined();
    const root = await test.join('root', { role: 'admin' });
    const headers = { 'x-forwarded-proto': 'https' };
    const board = await test.call('POST', '/api/auth/queue-board', { as: root, headers });
    expect(String(board.headers['set-cookie'])).toContain('; Secure');
  });

  it('clients of gRPC are counted for themselves, too', async () => {
    const { test } = await open(undefined, { env: { GRPC_PORT: String(await freePort()) } });
    await test.api.start();
    const listWorkers = async (address: string) => {
      const client = openClient(test.api.grpcPort, credentials.createInsecure(), '127.0.0.1', {
        'x-forwarded-for': address,
      });
      try {
        return await client.call('ListWorkers').then(
          () => ({ status: status.OK }),
          ({ code }: { code: status }) => ({ status: code }),
        );
      } finally {
        client.close();
      }
    };
    const codes = await times(LIMIT + 3, () => listWorkers(A));
    expect(codes.filter((code) => code === status.RESOURCE_EXHAUSTED).length).toBeGreaterThan(0);
    expect((await listWorkers(B)).status).toBe(status.OK);
  });
});

describe('where no proxy is trusted, or another one', () => {
  it.each([['', '10.0.0.0/8']])('nobody is believed: "%s"', async (trusted) => {
    const { from } = await open(trusted);
    const statuses = await times(LIMIT + 3, (n) => from(`198.51.100.${n}`));
    expect(statuses.filter((one) => one === 429).length).toBeGreaterThan(0);
    const { headers } = await from(B, { 'x-forwarded-proto': 'https' });
    expect(headers['strict-transport-security']).toBeUndefined();
  });
});
