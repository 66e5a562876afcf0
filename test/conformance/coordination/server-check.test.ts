// A Redis that may throw work away is called out loud.

import { Writable } from 'node:stream';
import { pino } from 'pino';
import { expect, it, onTestFinished } from 'vitest';
import { openRedis } from '../../../shared/adapters/redis/open.ts';
import { OwnRedis } from '../../support/own-redis.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';

async function linesOf(settings: readonly string[], until: RegExp): Promise<string> {
  const own = await OwnRedis.started(settings);
  onTestFinished(() => own.remove());
  let lines = '';
  const log = pino(
    { level: 'debug' },
    new Writable({
      write: (chunk, _encoding, done) => {
        lines += String(chunk);
        done();
      },
    }),
  );
  const redis = await openRedis({ url: own.url, prefix: uniqueName('c-'), patience: 'patient', log });
  await redis.ping();
  await own.kill();
  await waitFor(() => until.test(lines), { what: String(until) });
  await redis.close();
  return lines;
}

it('warns of a policy that evicts', async () => {
  expect(await linesOf(['--maxmemory-policy', 'allkeys-lru'], /noeviction/)).toMatch(
    /"policy":"allkeys-lru"/,
  );
});

it('does not warn of one that does not, and tells an outage once, not with each try', async () => {
  const lines = await linesOf(['--maxmemory-policy', 'noeviction'], /cannot be reached/);
  expect(lines).not.toMatch(/maxmemory-policy/);
  expect(lines.match(/cannot be reached/g)).toHaveLength(1);
});
