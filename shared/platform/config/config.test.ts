import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { ADOPTION_PORT } from '../../contracts/adoption.ts';
import { AppError } from '../../errors.ts';
import { DEFAULT_RULES } from '../../model/scheduling.ts';
import { loadApiConfig } from './api.ts';
import { loadCommonConfig } from './common.ts';
import { withValueFiles } from './reading.ts';
import { loadRunnerConfig } from './runner.ts';
import { loadSchedulerConfig } from './scheduler.ts';
import { loadWaitingConfig } from './waiting-runner.ts';

const secret = 'x'.repeat(32);

describe('settings', () => {
  it('have defaults for everything but the secret', () => {
    expect(loadApiConfig({ JWT_SECRET: secret, DATA_DIR: '/tmp/d' })).toMatchObject({
      port: 8080,
      storeUrl: 'sqlite:/tmp/d/cloudai.db',
      filesUrl: 'file:/tmp/d/files',
      registration: 'open',
      observeAuth: 'open',
    });
    expect(loadSchedulerConfig({}).workerLeaseSeconds).toBe(15);
    expect(loadCommonConfig({ DATA_DIR: '/tmp/d' }).storeUrl).toBe('sqlite:/tmp/d/cloudai.db');
    // What other processes alone have is not looked at.
    expect(loadCommonConfig({ WORKER_LEASE_SECONDS: 'x', JWT_SECRET: 'short' }).logLevel).toBe('info');
    expect(loadRunnerConfig({}).workerId).toMatch(/^worker-/);
  });

  it('keep files beside the records when the store is MongoDB', () => {
    expect(loadSchedulerConfig({ STORE_URL: 'mongodb://db/cloudai' }).filesUrl).toBe('mongodb');
  });

  it('report every fault at once', () => {
    const faults = faultsOf(() =>
      loadApiConfig({ PORT: 'eighty', STORE_URL: 'mysql://x', LOG_LEVEL: 'loud' }),
    );
    expect(faults).toEqual(['JWT_SECRET', 'LOG_LEVEL', 'PORT', 'STORE_URL']);
  });

  it('refuse a short secret', () => {
    expect(() => loadApiConfig({ JWT_SECRET: 'short' })).toThrow(/JWT_SECRET must be at least 32 characters/);
  });

  it('take an empty variable as not set', () => {
    expect(loadApiConfig({ JWT_SECRET: secret, PORT: '' }).port).toBe(8080);
  });

  it('keep tasks for ever, for days or for a part of one, but not for minutes', () => {
    const retention = (RETENTION_DAYS: string) =>
      loadApiConfig({ JWT_SECRET: secret, RETENTION_DAYS }).retentionMs;
    expect(['', '0', '0.5', '30'].map(retention)).toEqual([0, 0, 43_200_000, 2_592_000_000]);
    for (const wrong of ['0.001', '-1']) {
      expect(() => retention(wrong)).toThrow(
        /RETENTION_DAYS must be 0, which keeps tasks for ever, or at least/,
      );
    }
    for (const wrong of ['never', '40000']) expect(() => retention(wrong)).toThrow(/RETENTION_DAYS must be/);
  });

  it('have other names for runners that are registered by hand', () => {
    const api = { JWT_SECRET: secret };
    expect(loadApiConfig(api)).toMatchObject({
      clusterToken: null,
      workerLeaseSeconds: 15,
      runnerStoreUrl: null,
      runnerRedisUrl: null,
      runnerFilesUrl: null,
    });
    const names = {
      RUNNER_STORE_URL: 'mongodb://db/x',
      RUNNER_REDIS_URL: 'redis://r',
      RUNNER_FILES_URL: 'mongodb',
    };
    expect(
      loadApiConfig({ ...api, STORE_URL: 'mongodb://localhost/x', CLUSTER_TOKEN: secret, ...names }),
    ).toMatchObject({
      clusterToken: secret,
      runnerStoreUrl: 'mongodb://db/x',
      runnerRedisUrl: 'redis://r',
      runnerFilesUrl: 'mongodb',
    });
    // They name the same store, not another one.
    for (const url of ['sqlite:/data/x.db', '']) {
      const env = { ...api, STORE_URL: url, RUNNER_STORE_URL: 'mongodb://db/x' };
      expect(faultsOf(() => loadApiConfig(env))).toEqual(['RUNNER_STORE_URL']);
    }
    expect(faultsOf(() => loadApiConfig({ ...api, RUNNER_STORE_URL: 'mysql://x' }))).toEqual([
      'RUNNER_STORE_URL',
    ]);
    expect(faultsOf(() => loadApiConfig({ ...api, CLUSTER_TOKEN: 'short' }))).toEqual(['CLUSTER_TOKEN']);
  });

  it('name what is no proxy, and every address as one', () => {
    const proxies = (TRUSTED_PROXIES: string) => loadApiConfig({ JWT_SECRET: secret, TRUSTED_PROXIES });
    expect(loadApiConfig({ JWT_SECRET: secret }).trustedProxies).toEqual([]);
    const good = ['10.0.0.5', '192.168.0.0/16', 'fd00::/8', '::1'];
    expect(proxies(good.join(', ')).trustedProxies).toEqual(good);
    for (const wrong of ['proxy.local', '10.0.0.0/33', 'fd00::/129', '10.0.0.5:80', '10.0.0'])
      expect(() => proxies(`10.0.0.1,${wrong}`)).toThrow('TRUSTED_PROXIES must be addresses or networks');
    for (const all of ['0.0.0.0/0', '::/0'])
      expect(() => proxies(all)).toThrow(`must not name every address, as "${all}" does`);
  });

  it('take folders that tasks may mount, and name those that never may be', () => {
    const mounts = (MOUNT_ALLOW: string, env = {}) => loadRunnerConfig({ MOUNT_ALLOW, ...env }).mounts;
    expect(loadRunnerConfig({}).mounts).toEqual([]);
    expect(mounts('/data:ro, /data/work,/home/sets')).toEqual([
      { path: '/data', readOnly: true },
      { path: '/data/work', readOnly: false },
      { path: '/home/sets', readOnly: false },
    ]);
    for (const never of ['/', '/proc', '/sys/fs', '/dev', '/run', '/var/run', '/var', '/var/lib/docker'])
      expect(() => mounts(`/data,${never}`), never).toThrow(/MOUNT_ALLOW "\/.*(never mounted|not all of it)/);
    const elsewhere = { DOCKER_HOST: 'unix:///opt/engine/docker.sock', DATA_DIR: '/srv/cloudai' };
    expect(() => mounts('/opt/engine', elsewhere)).toThrow('would let tasks mount /opt/engine/docker.sock');
    for (const own of ['/srv', '/srv/cloudai', '/srv/cloudai/files'])
      expect(() => mounts(own, elsewhere), own).toThrow('the data folder of the runner');
    expect(mounts('/srv/sets', elsewhere)).toHaveLength(1);
    for (const wrong of ['data', '/a/../b', '/a//b', '/a/', '/a:rw'])
      expect(() => mounts(wrong), wrong).toThrow(`MOUNT_ALLOW "${wrong}" must be`);
    expect(() => mounts('/a,/a:ro')).toThrow('twice');
    expect(() => mounts('/a,/a/b:ro')).toThrow('"/a/b:ro" is read-only inside /a, which may be written to');
    for (const env of [{ RUNTIME: 'process' }, { DOCKER_HOST: 'tcp://engine:2375' }])
      expect(() => mounts('/a', env)).toThrow('an engine on this machine');
  });

  it('read labels and name a broken one', () => {
    expect(loadRunnerConfig({ WORKER_LABELS: 'disk=ssd,zone=a' }).labels).toEqual({ disk: 'ssd', zone: 'a' });
    expect(faultsOf(() => loadRunnerConfig({ WORKER_LABELS: 'disk' }))).toEqual(['WORKER_LABELS']);
  });
});

describe('settings of the scheduler', () => {
  it('have the rules of the plan, in milliseconds', () => {
    expect(loadSchedulerConfig({})).toMatchObject({ rules: DEFAULT_RULES, defaultRunSeconds: 300 });
    const given = loadSchedulerConfig({
      SCHEDULING_POLICY: 'best-fit',
      AGEING_SECONDS: '30',
      RESERVE_AFTER_SECONDS: '1.5',
      PREEMPTION: 'priority',
      DEFAULT_RUN_SECONDS: '60',
      DECISION_LOG_MB: '0.5',
    });
    expect(given).toMatchObject({
      rules: { policy: 'best-fit', ageingMs: 30_000, reserveAfterMs: 1_500, preemption: true },
      defaultRunSeconds: 60,
      decisionLogBytes: 524_288,
    });
    expect(loadSchedulerConfig({ DECISION_LOG_MB: '0' }).decisionLogBytes).toBe(0);
  });

  it('name what a policy and preemption may be', () => {
    const said = messageOf(() => loadSchedulerConfig({ SCHEDULING_POLICY: 'bestfit', PREEMPTION: 'on' }));
    expect(said).toContain('SCHEDULING_POLICY must be one of [round-robin, best-fit, spread]');
    expect(said).toContain('PREEMPTION must be one of [off, priority]');
  });

  it.each([
    ['AGEING_SECONDS', '0'],
    ['RESERVE_AFTER_SECONDS', 'soon'],
    ['DEFAULT_RUN_SECONDS', '-1'],
    ['DECISION_LOG_MB', '2000'],
  ])('refuse %s=%s', (name, value) => {
    expect(faultsOf(() => loadSchedulerConfig({ [name]: value }))).toEqual([name]);
  });
});

describe('settings of a runner that waits', () => {
  const token = 't'.repeat(32);

  it('need the token alone', () => {
    expect(loadWaitingConfig({ CLUSTER_TOKEN: token, DATA_DIR: '/tmp/d' })).toEqual({
      logLevel: 'info',
      dataDir: '/tmp/d',
      healthFile: null,
      listen: { host: '0.0.0.0', port: ADOPTION_PORT },
      clusterToken: token,
      workerId: null,
    });
    expect(() => loadWaitingConfig({})).toThrow(/CLUSTER_TOKEN is required .*CLUSTER_TOKEN_FILE/);
  });

  it('take the token from a file, without the end of its line', () => {
    const path = kept(`${token}\n`);
    expect(loadWaitingConfig({ CLUSTER_TOKEN_FILE: path }).clusterToken).toBe(token);
  });

  it('say which token is wrong, and never its text', () => {
    const short = kept('no-long-secret\n');
    const wrong = [
      { CLUSTER_TOKEN: 'no-long-secret' },
      { CLUSTER_TOKEN_FILE: short },
      { CLUSTER_TOKEN_FILE: '/nowhere/token' },
      { CLUSTER_TOKEN: token, CLUSTER_TOKEN_FILE: short },
    ];
    const said = wrong.map((env) => messageOf(() => loadWaitingConfig(env)));
    expect(said).toEqual([
      expect.stringContaining('CLUSTER_TOKEN must be at least 32 characters'),
      expect.stringContaining('CLUSTER_TOKEN_FILE names a file whose text must be at least 32 characters'),
      expect.stringContaining('CLUSTER_TOKEN_FILE cannot be read: ENOENT'),
      expect.stringContaining('CLUSTER_TOKEN_FILE cannot be set beside CLUSTER_TOKEN'),
    ]);
    expect(said.join()).not.toContain('no-long-secret');
  });

  it.each([
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
    ['node-3.lan:50052', { host: 'node-3.lan', port: 50_052 }],
    ['[::1]:9', { host: '::1', port: 9 }],
  ])('listen at %s', (text, listen) => {
    expect(loadWaitingConfig({ CLUSTER_TOKEN: token, RUNNER_LISTEN: text }).listen).toEqual(listen);
  });

  it.each(['50052', 'host', 'host:', ':50052', '::1:9', '[x]:9', 'a:65536', 'http://a:1', 'a b:1'])(
    'do not listen at %s',
    (text) => {
      const env = { CLUSTER_TOKEN: token, RUNNER_LISTEN: text };
      expect(faultsOf(() => loadWaitingConfig(env))).toEqual(['RUNNER_LISTEN']);
    },
  );

  it('report every fault at once, also those of the runner it will be', () => {
    expect(faultsOf(() => loadWaitingConfig({ RUNNER_LISTEN: 'x', WORKER_CPUS: 'many' }))).toEqual([
      'CLUSTER_TOKEN',
      'RUNNER_LISTEN',
      'WORKER_CPUS',
    ]);
  });
});

describe('settings in files', () => {
  it('are read as if they were set, without the end of the line', () => {
    const config = loadApiConfig({
      JWT_SECRET_FILE: kept(`${secret}\n`),
      STORE_URL_FILE: kept('mongodb://u:p@db/cloudai\n'),
      REDIS_URL_FILE: kept('redis://:p@redis:6379'),
      RUNNER_STORE_URL: 'mongodb://u:p@outside/cloudai',
      // Not a value in a file: there is no HEALTH.
      HEALTH_FILE: '/nowhere/health',
    });
    expect(config).toMatchObject({
      jwtKeys: [secret],
      storeUrl: 'mongodb://u:p@db/cloudai',
      redisUrl: 'redis://:p@redis:6379',
      filesUrl: 'mongodb',
      healthFile: '/nowhere/health',
    });
  });

  it('are refused by the name of the file’s setting, all at once and never with the text', () => {
    const env = {
      JWT_SECRET_FILE: kept('too-short-a-secret'),
      STORE_URL_FILE: kept('mysql://user:pass@db'),
      REDIS_URL_FILE: '/nowhere/redis-url',
    };
    const said = messageOf(() => loadApiConfig(env));
    expect(said).toContain('JWT_SECRET_FILE names a file whose text must be at least 32 characters');
    expect(said).toContain('STORE_URL_FILE names a file whose text must be "sqlite:<path>"');
    expect(said).toContain('REDIS_URL_FILE cannot be read: ENOENT');
    expect(said).not.toMatch(/too-short-a-secret|user:pass/);
    expect(messageOf(() => loadApiConfig({ JWT_SECRET_FILE: kept(' \n') }))).toBe(
      'wrong settings:\n  JWT_SECRET_FILE names an empty file: put the value of JWT_SECRET into it',
    );
    expect(messageOf(() => loadSchedulerConfig({ ...env, STORE_URL: 'mongodb://db/x' }))).toContain(
      'STORE_URL_FILE cannot be set beside STORE_URL: set one of them',
    );
  });

  it('are settled for whoever hands them on', () => {
    const env = { JWT_SECRET_FILE: kept(secret), REDIS_URL: 'redis://r', PATH: '/bin' };
    const names = ['JWT_SECRET', 'REDIS_URL'];
    expect(withValueFiles(env, names)).toEqual({ JWT_SECRET: secret, REDIS_URL: 'redis://r', PATH: '/bin' });
    expect(faultsOf(() => withValueFiles({ ...env, REDIS_URL_FILE: '/nowhere' }, names))).toEqual([
      'REDIS_URL_FILE',
    ]);
  });
});

function kept(text: string): string {
  const directory = mkdtempSync(join(tmpdir(), 'cloudai-config-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'token');
  writeFileSync(path, text);
  return path;
}

function messageOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    if (error instanceof AppError) return error.message;
    throw error;
  }
  return '';
}

function faultsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad_config')
      return error.details.map((d) => d.field).sort();
    throw error;
  }
  return [];
}
