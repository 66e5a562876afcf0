import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { makeSettings } from '../../test/support/played-adoption.ts';
import { boundToTheirMachine, hostsOf, isFromHere, memberEnvironment, placeOf } from './cluster-settings.ts';

describe('the settings of a cluster', () => {
  it('fill what the cluster decides and leave the machine its own', () => {
    const env = {
      WORKER_CPUS: '2',
      WORKER_LABELS: 'disk=ssd',
      RUNTIME: 'process',
      REDIS_URL: 'redis://of-this-machine:1',
      WORKER_LEASE_SECONDS: '99',
      DATA_DIR: '/srv/d',
    };
    const settings = makeSettings({ STORE_URL: 'mongodb://db/cloudai', FILES_URL: 'mongodb' });
    expect(loadRunnerConfig(memberEnvironment(env, settings))).toMatchObject({
      cpus: 2,
      labels: { disk: 'ssd' },
      runtime: 'process',
      dataDir: '/srv/d',
      redisUrl: settings.REDIS_URL,
      storeUrl: 'mongodb://db/cloudai',
      filesUrl: 'mongodb',
      workerLeaseSeconds: 15,
      workerId: 'worker-3',
      address: '127.0.0.1',
    });
    const named = memberEnvironment({ WORKER_ADDRESS: 'node-3.lan' }, settings);
    expect(named.WORKER_ADDRESS).toBe('node-3.lan');
  });

  it.each([
    [{}, 2],
    [{ STORE_URL: 'mongodb://127.0.0.1:27017/x', FILES_URL: 'mongodb' }, 2],
    [{ STORE_URL: 'mongodb://u:p@db-1:27017,localhost/x', REDIS_URL: 'rediss://:p@redis.lan:1' }, 1],
    [{ STORE_URL: 'mongodb+srv://db.example/x', REDIS_URL: 'redis://[::1]:6379' }, 1],
    [{ STORE_URL: 'mongodb://db/x', REDIS_URL: 'unix:///run/redis.sock' }, 1],
    [{ STORE_URL: 'mongodb://db/x', REDIS_URL: 'redis://10.0.0.1:6379', FILES_URL: 'file:/mnt/shared' }, 0],
  ])('%j name their own machine %i times', (over, count) => {
    expect(boundToTheirMachine(makeSettings(over))).toHaveLength(count);
  });

  it('are from here when the caller has an address of this machine', () => {
    const own = ['192.168.1.102', 'fe80::1'];
    for (const caller of ['127.0.0.1', '::1', '::ffff:127.0.0.1', '192.168.1.102', '::ffff:192.168.1.102']) {
      expect(isFromHere(caller, own), caller).toBe(true);
    }
    for (const caller of ['192.168.1.1', '::ffff:10.0.0.1', 'fe80::2']) {
      expect(isFromHere(caller, own), caller).toBe(false);
    }
  });
});

describe('the place a URL names', () => {
  it.each([
    ['redis://user:secret@redis.lan:6379/2', 'redis.lan:6379'],
    ['redis://redis.lan', 'redis.lan'],
    ['mongodb://u:s@a:1,b:2/db?replicaSet=r', 'a:1, b:2'],
    ['rediss://[fd00::3]:6379', '[fd00::3]:6379'],
    ['sqlite:/srv/cloudai.db', '/srv/cloudai.db'],
    ['file:///srv/files', '/srv/files'],
    ['unix:///run/redis.sock?db=1', '/run/redis.sock'],
  ])('of %s is %s', (url, place) => {
    expect(placeOf(url)).toBe(place);
  });

  it('never holds a part of the password, however badly that is encoded', () => {
    const password = fc.string({ minLength: 1 }).map((text) => `S3CR${text}S3CR`);
    fc.assert(
      fc.property(fc.constantFrom('redis', 'mongodb'), password, (scheme, secret) => {
        expect(placeOf(`${scheme}://user:${secret}@host:1/0`)).not.toContain('S3CR');
        expect(placeOf(`${scheme}://:1/${secret}@host:1/0`)).not.toContain('S3CR');
        expect(hostsOf(`${scheme}://user:${secret}@host:1/0`).join()).not.toContain('S3CR');
      }),
    );
  });
});
