// Wrong settings stop a process at start, with all faults listed.

import { spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';

const dist = resolve(import.meta.dirname, '../../dist');

function start(room: string, env: Record<string, string>, args: readonly string[] = []) {
  return spawnSync(process.execPath, [`${dist}/${room}/main.js`, ...args], {
    env: { PATH: process.env.PATH ?? '', ...env },
    encoding: 'utf8',
    timeout: 20_000,
  });
}

describe('a process with wrong settings', () => {
  it.each([
    ['api', { PORT: '99999', JWT_SECRET: 'short', STORE_URL: 'mysql://x' }],
    ['scheduler', { RECONCILE_SECONDS: 'often', REDIS_URL: 'http://x' }],
    ['runner', { WORKER_ID: 'a b', RUNTIME: 'podman', WORKER_CPUS: '-1' }],
  ])('%s does not start and names each', (room, env) => {
    const { status, stderr } = start(room, env);
    expect(status).toBe(78);
    for (const name of Object.keys(env)) expect(stderr).toContain(name);
  });

  it('a runner that is to wait names its own, and those of the worker it will be', () => {
    const env = { RUNNER_LISTEN: 'here', CLUSTER_TOKEN: 'short', WORKER_CPUS: 'many' };
    const { status, stderr } = start('runner', env, ['--wait']);
    expect(status).toBe(78);
    for (const name of Object.keys(env)) expect(stderr).toContain(name);
    expect(stderr).not.toContain('short');
  });

  it('a runner says which arguments it knows', () => {
    expect(start('runner', {}, ['--help'])).toMatchObject({
      status: 0,
      stdout: expect.stringContaining('--wait'),
    });
    const wrong = start('runner', {}, ['--listem', 'x:1']);
    expect(wrong.status).toBe(78);
    expect(wrong.stderr).toMatch(/--listem[\s\S]*--listen <host>:<port>/);
  });

  it('api does not start without a secret', () => {
    const { status, stderr } = start('api', {});
    expect(status).toBe(78);
    expect(stderr).toContain('JWT_SECRET is required');
  });
});
