// What a machine says against the settings of a cluster, on a real store and the tests' own Redis.

import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { freePort } from '../../../infra/setup/ports.ts';
import { settingsFaults } from '../../../runner/adopt/check-settings.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import type { ClusterSettings } from '../../../shared/contracts/adoption.ts';
import { tryCluster } from '../../../shared/wiring/try-cluster.ts';
import { makeSettings } from '../../support/played-adoption.ts';
import { redisUrl, tempDir } from '../../support/servers.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
  await mkdir(join(dir, 'files'));
  await (await openSqliteStore(join(dir, 'cloudai.db'))).close();
});
afterEach(() => remove());

const make = (over: Partial<ClusterSettings> = {}) =>
  makeSettings({
    STORE_URL: `sqlite:${dir}/cloudai.db`,
    FILES_URL: `file:${dir}/files`,
    REDIS_URL: redisUrl,
    ...over,
  });
const faults = async (
  over: Partial<ClusterSettings>,
  { caller = '127.0.0.1', env = {} }: { caller?: string; env?: Record<string, string> } = {},
) => {
  const check = { env: { DATA_DIR: dir, ...env }, ownAddresses: ['10.1.1.1'], tryCluster };
  return (await settingsFaults(make(over), caller, check)).join('\n');
};

describe('the settings of a cluster', () => {
  it('that work are taken', async () => {
    expect(await faults({})).toBe('');
    expect(await faults({}, { caller: '10.1.1.1' })).toBe('');
  });

  it('that only the machine of the API could use are not even tried elsewhere', async () => {
    const said = await faults({ REDIS_URL: 'redis://:hunter2@127.0.0.1:1' }, { caller: '10.1.1.9' });
    expect(said).toMatch(/STORE_URL names a SQLite file, which only the machine of the API can use/);
    expect(said).toMatch(/REDIS_URL names 127\.0\.0\.1, which only/);
    expect(said).toMatch(/that other machines can reach/);
    expect(said).not.toContain('hunter2');
  });

  it('never make an empty store or folder', async () => {
    expect(await faults({ STORE_URL: `sqlite:${dir}/other/cloudai.db` })).toBe(
      `STORE_URL names ${dir}/other/cloudai.db, which is not there on this machine`,
    );
    expect(await faults({ FILES_URL: `file:${dir}/other` })).toMatch(/FILES_URL names .*not there/);
    await writeFile(join(dir, 'empty.db'), '');
    expect(await faults({ STORE_URL: `sqlite:${dir}/empty.db` })).toMatch(/which is no database/);
    expect(await faults({ STORE_URL: `sqlite:${dir}/files`, FILES_URL: `file:${dir}/cloudai.db` })).toMatch(
      /no database on this machine\n.*no folder on this machine/,
    );
    expect(await faults({ STORE_URL: 'sqlite:data/cloudai.db' })).toMatch(/no absolute path/);
    expect((await readdir(dir)).filter((name) => !name.startsWith('cloudai.db')).sort()).toEqual([
      'empty.db',
      'files',
    ]);
  });

  it('that lead nowhere are named by host and port, each, and without passwords', async () => {
    const port = await freePort();
    const said = await faults({
      STORE_URL: `mongodb://user:hunter2-x@127.0.0.1:${port}/db?serverSelectionTimeoutMS=300`,
      FILES_URL: 'mongodb',
      REDIS_URL: `redis://:hunter2%2Fy@127.0.0.1:${port}`,
    });
    expect(said).toMatch(new RegExp(`^the store at 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
    expect(said).toMatch(new RegExp(`\nRedis at 127\\.0\\.0\\.1:${port}: .*ECONNREFUSED`));
    expect(said).not.toContain('hunter2');
  });

  it('with a wrong password say so', async () => {
    const { host } = new URL(redisUrl);
    const said = await faults({ REDIS_URL: `redis://someone:hunter2-x@${host}` });
    expect(said).toMatch(/^Redis at .*(WRONGPASS|invalid)/);
    expect(said).not.toContain('hunter2');
  });

  it('that a runner could not read are named as settings are', async () => {
    expect(await faults({ REDIS_URL: 'http://x', WORKER_LEASE_SECONDS: 0 })).toMatch(
      /REDIS_URL must be a valid uri[\s\S]*WORKER_LEASE_SECONDS must be/,
    );
  });
});
