// Whatever stands in the environment, in cursors, in proofs of a handshake and in URLs of servers: readers refuse it in their
// own words or take it, and never throw anything else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../errors.ts';
import { familiarImage } from '../model/image.ts';
import { isProof, newKeyShare, seal, unseal } from './adoption-proof.ts';
import { loadApiConfig } from './config/api.ts';
import { loadRunnerConfig } from './config/runner.ts';
import { loadSchedulerConfig } from './config/scheduler.ts';
import { readRange, serversOf } from './config/task-network.ts';
import { decodeFileCursor, encodeFileCursor } from './file-cursor.ts';

const RUNS = { numRuns: 200 };
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ unit: fc.constantFrom(...'=,;:/*"@ -+.[]%0198ae'), maxLength: 100 }),
);

function orRefused(run: () => unknown, code: Parameters<typeof isAppError>[1]): void {
  try {
    run();
  } catch (error) {
    if (!isAppError(error, code)) throw error;
  }
}

const SETTINGS = [
  ...['PORT', 'HOST', 'STORE_URL', 'REDIS_URL', 'FILES_URL', 'JWT_SECRET', 'CORS_ORIGINS', 'TLS_CERT_FILE'],
  ...['TLS_KEY_FILE', 'RETENTION_DAYS', 'IMAGE_ALLOW', 'WEBHOOK_ALLOW', 'CLUSTER_TOKEN_FILE', 'DOCKER_HOST'],
  ...['WORKER_ID', 'WORKER_LABELS', 'WORKER_CPUS', 'TASK_NETWORK_ALLOW', 'TASK_NETWORK_BLOCK', 'LOG_LEVEL'],
  ...['TRUSTED_PROXIES', 'MOUNT_ALLOW'],
];

describe('settings', () => {
  it('are read, or refused by name', () => {
    const one = fc.tuple(fc.constantFrom(...SETTINGS), text);
    fc.assert(
      fc.property(fc.array(one, { maxLength: 4 }), (pairs) => {
        const env = Object.fromEntries(pairs);
        for (const load of [loadApiConfig, loadRunnerConfig, loadSchedulerConfig]) {
          orRefused(() => load(env), 'bad_config');
        }
      }),
      { numRuns: 60 },
    );
  });

  it('of networks are what iptables takes, or none', () => {
    const near = fc
      .tuple(fc.ipV4(), fc.option(fc.nat({ max: 40 })), fc.option(fc.nat({ max: 70_000 })))
      .map(([ip, bits, port]) => `${ip}${bits === null ? '' : `/${bits}`}${port === null ? '' : `:${port}`}`);
    fc.assert(
      fc.property(fc.oneof(text, near), (entry) => {
        const range = readRange(entry);
        if (range === null) return;
        expect(range.cidr).toMatch(/^\d+(\.\d+){3}\/([12]?\d|3[0-2])$/);
        expect(range.port === null || (range.port >= 1 && range.port <= 65_535)).toBe(true);
      }),
      RUNS,
    );
  });

  it('of servers lead to hosts and ports, or to none', () => {
    const url = fc.tuple(fc.constantFrom('redis', 'mongodb', 'mongodb+srv', 'sqlite', 'unix'), text);
    fc.assert(
      fc.property(url, ([scheme, rest]) => {
        for (const { host, port } of serversOf(`${scheme}://${rest}`)) {
          expect(host).not.toBe('');
          expect(Number.isInteger(port)).toBe(true);
        }
      }),
      RUNS,
    );
    expect(serversOf('mongodb://u:p%40@a:1,[::1]:2,c/db?x=1')).toEqual([
      { host: 'a', port: 1, service: null },
      { host: '::1', port: 2, service: null },
      { host: 'c', port: 27_017, service: null },
    ]);
    expect(serversOf('sqlite:/data/x.db')).toEqual([]);
  });
});

describe('what was handed out and comes back', () => {
  it('as a cursor is one, or is refused', () => {
    const json = fc.json().map((one) => Buffer.from(one).toString('base64url'));
    fc.assert(
      fc.property(fc.oneof(text, json), (cursor) =>
        orRefused(() => decodeFileCursor(cursor), 'invalid_request'),
      ),
      RUNS,
    );
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.nat(), (path, taskId, attempt) => {
        const at = { path, taskId, attempt };
        expect(decodeFileCursor(encodeFileCursor(at))).toEqual(at);
      }),
      RUNS,
    );
  });

  it('as a proof or a sealed message never passes by chance', () => {
    const token = 'x'.repeat(32);
    const share = newKeyShare();
    const transcript = {} as never;
    const key = fc.oneof(text, fc.constant(share.publicKey));
    fc.assert(
      fc.property(key, text, text, text, (theirs, iv, data, tag) => {
        expect(isProof(iv, token, 'runner' as never, transcript)).toBe(false);
        orRefused(() => seal({}, token, share, theirs, transcript), 'invalid_request');
        expect(() => unseal({ iv, data, tag }, token, share, theirs, transcript)).toThrow();
        orRefused(() => unseal({ iv, data, tag }, token, share, theirs, transcript), 'invalid_request');
      }),
      { numRuns: 60 },
    );
  });

  it('as a name of an image has one spelling', () => {
    fc.assert(
      fc.property(text, (name) => {
        const familiar = familiarImage(name);
        expect(familiarImage(familiar)).toBe(familiar);
      }),
      RUNS,
    );
  });
});
