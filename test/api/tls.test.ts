// The API with a certificate: HTTP, Socket.io and the plain WebSocket over TLS, renewal without a restart, and which web
// pages may come in.

import { readFileSync } from 'node:fs';
import { copyFile } from 'node:fs/promises';
import { Agent, get, request as send } from 'node:https';
import { resolve } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { credentials, status } from '@grpc/grpc-js';
import { io } from 'socket.io-client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { WebSocket } from 'ws';
import { loadApiConfig } from '../../shared/platform/config/api.ts';
import { freePort } from '../support/cluster.ts';
import { tempDir } from '../support/servers.ts';
import { openClient } from './grpc/client.ts';
import { JWT_SECRET, openTestApi, type TestApi } from './harness.ts';

const PEMS = resolve(import.meta.dirname, '../support/certificates');
const pem = (name: string) => readFileSync(`${PEMS}/${name}.pem`, 'utf8');
const ca = [pem('first-cert'), pem('renewed-cert')];
const APP = 'https://app.example.com';
const OTHER = 'https://evil.example.com';

let test: TestApi;
let url: string;
let certFile: string;
let keyFile: string;
const put = (name: string) =>
  Promise.all([copyFile(`${PEMS}/${name}-cert.pem`, certFile), copyFile(`${PEMS}/${name}-key.pem`, keyFile)]);

beforeAll(async () => {
  const folder = await tempDir();
  certFile = `${folder.path}/cert.pem`;
  keyFile = `${folder.path}/key.pem`;
  await put('first');
  test = await openTestApi({
    env: {
      GRPC_PORT: String(await freePort()),
      TLS_CERT_FILE: certFile,
      TLS_KEY_FILE: keyFile,
      CORS_ORIGINS: `${APP},http://localhost:3000`,
    },
  });
  url = await test.api.start();
});
afterAll(() => test?.close());

const answer = (path: string, headers: Record<string, string> = {}, method = 'GET') =>
  new Promise<{ status: number; headers: Record<string, unknown> }>((done, fail) => {
    const one = send(`${url}${path}`, { ca, headers, method, agent: new Agent() }, (response) => {
      response.resume();
      done({ status: response.statusCode ?? 0, headers: response.headers });
    });
    one.on('error', fail);
    one.end();
  });
const openSocket = (origin?: string) =>
  new Promise<string>((done) => {
    const socket = new WebSocket(`${url.replace('http', 'ws')}/ws/telemetry`, {
      ca,
      ...(origin === undefined ? {} : { origin }),
    });
    socket.on('message', () => {
      done('open');
      socket.terminate();
    });
    socket.on('unexpected-response', (_, response) => done(String(response.statusCode)));
    socket.on('error', (error) => done(error.message));
  });
const openLive = (origin: string | undefined, transports: string[]) =>
  new Promise<string>((done) => {
    const socket = io(url, {
      transports,
      reconnection: false,
      ca,
      forceNew: true,
      ...(origin === undefined ? {} : { extraHeaders: { origin } }),
    } as never);
    const say = (text: string) => {
      done(text);
      socket.disconnect();
    };
    socket.on('connect', () => say('open'));
    socket.on('connect_error', () => say('refused'));
  });
const fingerprint = (port = Number(new URL(url).port)) =>
  new Promise<string>((done, fail) => {
    const socket = connectTls({ host: '127.0.0.1', port, ca, ALPNProtocols: ['h2', 'http/1.1'] }, () => {
      done(socket.getPeerCertificate().fingerprint256);
      socket.destroy();
    });
    socket.on('error', fail);
  });

describe('an API with a certificate', () => {
  it('speaks TLS alone, and says that it does for good', async () => {
    expect(url).toMatch(/^https:/);
    const { status, headers } = await answer('/healthz');
    expect(status).toBe(200);
    expect(headers['strict-transport-security']).toBe('max-age=31536000');
    await expect(fetch(`${url.replace('https', 'http')}/healthz`)).rejects.toThrow();
    await expect(new Promise((_, fail) => get(url, fail).on('error', fail))).rejects.toThrow(/self-signed/);
  });

  it('serves sockets by it', async () => {
    expect(await openSocket()).toBe('open');
    expect(await openLive(undefined, ['websocket'])).toBe('open');
    expect(await openLive(undefined, ['polling'])).toBe('open');
  });

  it('serves gRPC by it, and only by it', async () => {
    const port = test.api.grpcPort;
    const [safe, bare] = [
      openClient(port, credentials.createSsl(Buffer.from(pem('first-cert'))), 'localhost'),
      openClient(port),
    ];
    try {
      expect((await safe.call('ListWorkers')).body).toEqual({});
      expect((await bare.refusal('ListWorkers')).code).toBe(status.UNAVAILABLE);
    } finally {
      safe.close();
      bare.close();
    }
  });

  it('passes over a wish for another protocol', async () => {
    const wish = {
      connection: 'Upgrade, HTTP2-Settings',
      upgrade: 'h2c',
      'http2-settings': 'AAMAAABkAAQAAP__',
    };
    expect((await answer('/healthz', wish)).status).toBe(200);
  });

  it('takes a renewed certificate, and keeps what it has while the files are wrong', async () => {
    const first = await fingerprint();
    await copyFile(`${PEMS}/renewed-cert.pem`, certFile);
    process.emit('SIGHUP');
    expect(await fingerprint()).toBe(first);
    await put('renewed');
    process.emit('SIGHUP');
    expect(await fingerprint()).not.toBe(first);
    expect(await fingerprint(test.api.grpcPort ?? 0)).toBe(await fingerprint());
    await put('first');
    process.emit('SIGHUP');
    expect(await fingerprint()).toBe(first);
  });
});

describe('web pages of other origins', () => {
  it('may ask and read when they are named, and no others', async () => {
    const wish = {
      'access-control-request-method': 'POST',
      'access-control-request-headers': 'authorization',
    };
    const asked = await answer('/api/tasks', { origin: APP, ...wish }, 'OPTIONS');
    expect(asked.headers).toMatchObject({ 'access-control-allow-origin': APP });
    expect(String(asked.headers['access-control-allow-headers']).toLowerCase()).toContain('authorization');
    expect((await answer('/workers', { origin: APP })).headers['access-control-allow-origin']).toBe(APP);
    const refused = await answer('/api/tasks', { origin: OTHER, ...wish }, 'OPTIONS');
    expect(refused.headers['access-control-allow-origin']).toBeUndefined();
    const read = await answer('/workers', { origin: OTHER });
    expect(read.headers['access-control-allow-origin']).toBeUndefined();
    expect(read.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('may open sockets when they are named, and no others', async () => {
    expect(await openSocket(APP)).toBe('open');
    expect(await openSocket(url)).toBe('open');
    expect(await openSocket(OTHER)).toBe('403');
    for (const transport of ['websocket', 'polling']) {
      expect(await openLive(APP, [transport])).toBe('open');
      expect(await openLive(OTHER, [transport])).toBe('refused');
    }
  });
});

describe('settings that are wrong', () => {
  const load = (env: Record<string, string>) => () => loadApiConfig({ JWT_SECRET, ...env });
  it.each([
    ['a certificate alone', () => ({ TLS_CERT_FILE: certFile }), /TLS_CERT_FILE needs TLS_KEY_FILE/],
    ['a key alone', () => ({ TLS_KEY_FILE: keyFile }), /TLS_KEY_FILE needs TLS_CERT_FILE/],
    [
      'a file that is not there',
      () => ({ TLS_CERT_FILE: '/no/cert.pem', TLS_KEY_FILE: keyFile }),
      /\/no\/cert\.pem cannot be read/,
    ],
    [
      'no certificate',
      () => ({ TLS_CERT_FILE: keyFile, TLS_KEY_FILE: keyFile }),
      /key\.pem does not hold a certificate/,
    ],
    [
      'no key',
      () => ({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: certFile }),
      /cert\.pem does not hold a private key/,
    ],
    [
      'another key',
      () => ({ TLS_CERT_FILE: certFile, TLS_KEY_FILE: `${PEMS}/renewed-key.pem` }),
      /renewed-key\.pem does not hold the private key of/,
    ],
    ['a star for an origin', () => ({ CORS_ORIGINS: '*' }), /CORS_ORIGINS must be origins/],
    [
      'an address for an origin',
      () => ({ CORS_ORIGINS: 'https://a.example/x' }),
      /"https:\/\/a\.example\/x" is none/,
    ],
  ])('are refused by name: %s', (_, env, message) => {
    expect(load(env())).toThrow(message);
  });
});
