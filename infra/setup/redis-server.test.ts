import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Redis } from 'ioredis';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { redisUrl, tempDir } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { DebianPackages } from './debian-packages.ts';
import { freePort } from './ports.ts';
import {
  askRedis,
  type RunningRedis,
  redisConf,
  startPrivateRedis,
  useGivenRedis,
  withoutPassword,
} from './redis-server.ts';

let dir: string;
let remove: () => Promise<void>;
let running: RunningRedis | null;
let deaths: string[];
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
  running = null;
  deaths = [];
});
afterEach(async () => {
  await running?.stop();
  await remove();
});

async function start(): Promise<RunningRedis> {
  running = await startPrivateRedis(
    {
      dir: join(dir, 'redis with "quotes" and blanks'),
      password: 'p'.repeat(32),
      logFile: join(dir, 'redis.log'),
      packages: new DebianPackages({ logFile: join(dir, 'apt.log'), isRoot: false }),
      onDeath: (how) => deaths.push(how),
    },
    () => undefined,
  );
  if (!running) throw new Error('redis-server is missing: run the tests through "npm test"');
  return running;
}

async function withRedis<T>(url: string, use: (redis: Redis) => Promise<T>): Promise<T> {
  const redis = new Redis(url, { maxRetriesPerRequest: 1 });
  try {
    return await use(redis);
  } finally {
    redis.disconnect();
  }
}

const pidOf = async () =>
  JSON.parse(await readFile(join(dir, 'redis with "quotes" and blanks/process.json'), 'utf8')).pid as number;

describe('a private Redis', () => {
  it('keeps what it holds over a restart and evicts nothing', async () => {
    const first = await start();
    await withRedis(first.url, async (redis) => {
      await redis.set('kept', 'yes');
      expect(await redis.config('GET', 'maxmemory-policy')).toEqual(['maxmemory-policy', 'noeviction']);
      expect(await redis.config('GET', 'appendonly')).toEqual(['appendonly', 'yes']);
      expect(await redis.config('GET', 'bind')).toEqual(['bind', '127.0.0.1']);
    });
    await first.stop();
    expect((await askRedis(first.url)).ok).toBe(false);
    const second = await start();
    expect(await withRedis(second.url, (redis) => redis.get('kept'))).toBe('yes');
    expect(deaths).toEqual([]);
  });

  it('lets nobody in without its password', async () => {
    const { url } = await start();
    expect(await askRedis(withoutPassword(url))).toEqual({
      ok: false,
      fault: expect.stringMatching(/NOAUTH/),
    });
  });

  it('comes back by itself, where it was', async () => {
    const { url } = await start();
    const before = await pidOf();
    process.kill(before, 'SIGKILL');
    await waitFor(async () => (await pidOf()) !== before && (await askRedis(url)).ok, {
      what: 'Redis again',
    });
    expect(deaths).toEqual(['killed by SIGKILL']);
  });

  it('that outlived its run is used again, and stopped then', async () => {
    const left = await start();
    const again = await start();
    expect(again.url).toBe(left.url);
    expect(again.how).toContain('left by an earlier run');
    await again.stop();
    expect((await askRedis(left.url)).ok).toBe(false);
    await left.stop();
  });

  it('is not there without a program or a way to get one', async () => {
    const path = process.env.PATH;
    process.env.PATH = '';
    try {
      await expect(start()).rejects.toThrow(/redis-server is missing/);
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('a given Redis', () => {
  it('is used as it is and left running', async () => {
    const given = await useGivenRedis(redisUrl);
    expect(given.how).toContain('was there');
    await given.stop();
    expect((await askRedis(redisUrl)).ok).toBe(true);
  });

  it('that does not answer is an error that names it, not its password', async () => {
    const port = await freePort();
    const error = await useGivenRedis(`redis://user:geheim@127.0.0.1:${port}`).catch((fault) => fault);
    expect(error).toMatchObject({ code: 'bad_config' });
    expect(error.message).toMatch(new RegExp(`REDIS_URL is redis://127.0.0.1:${port}, but .*ECONNREFUSED`));
    expect(error.message).not.toContain('geheim');
  });
});

describe('the configuration', () => {
  it('quotes the folder', () => {
    const conf = redisConf({ dir: '/a "b"\\c', password: 'x', port: 1, bind: '127.0.0.1' });
    expect(conf).toContain('dir "/a \\"b\\"\\\\c"\n');
  });
});
