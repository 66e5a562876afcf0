import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadApiConfig } from '../../shared/platform/config/api.ts';
import { loadRunnerConfig } from '../../shared/platform/config/runner.ts';
import { loadSchedulerConfig } from '../../shared/platform/config/scheduler.ts';
import { tempDir } from '../../test/support/servers.ts';
import { localProcesses } from './processes.ts';

let dir: string;
let remove: () => Promise<void>;
beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
});
afterEach(() => remove());

const build = async (...rooms: string[]) => {
  for (const room of rooms) {
    await mkdir(join(dir, 'dist', room), { recursive: true });
    await writeFile(join(dir, 'dist', room, 'main.js'), '');
  }
};
const processes = (env: Record<string, string> = {}, clusterToken: string | null = 't'.repeat(64)) =>
  localProcesses({
    dist: join(dir, 'dist'),
    dataDir: join(dir, 'data'),
    env,
    port: 8081,
    redisUrl: 'redis://:p@127.0.0.1:4000',
    dockerHost: 'unix:///var/run/docker.sock',
    runtime: 'docker',
    jwtSecret: 's'.repeat(64),
    clusterToken,
  });

describe('the processes of a local CloudAI', () => {
  it('have a first worker in a cluster of their own, and a name of the machine in one that others share', async () => {
    await build('api', 'scheduler', 'runner');
    const workerOf = (env: Record<string, string>) => processes(env)[2]?.env.WORKER_ID;
    expect(workerOf({})).toBe('worker-1');
    expect(workerOf({ STORE_URL: 'sqlite:/srv/cloudai.db' })).toBe('worker-1');
    expect(workerOf({ WORKER_ID: 'worker-2' })).toBe('worker-2');
    expect(workerOf({ STORE_URL: 'mongodb://db/x' })).toBeUndefined();
  });

  it('have a runner that is waited for as long as its settings say', async () => {
    await build('api', 'scheduler', 'runner');
    const deadlinesOf = (env: Record<string, string>) => processes(env).map((part) => part.stopDeadlineMs);
    expect(deadlinesOf({})).toEqual([undefined, undefined, 20_000]);
    const finish = { SHUTDOWN: 'finish', SHUTDOWN_DEADLINE_SECONDS: '100', STOP_GRACE_SECONDS: '5' };
    expect(deadlinesOf(finish)[2]).toBe(155_000);
    expect(deadlinesOf({ ...finish, SHUTDOWN: 'hand-over' })[2]).toBe(120_000);
    // Refused by the runner, which says why.
    expect(deadlinesOf({ SHUTDOWN: 'later' })[2]).toBeUndefined();
  });

  it('get settings they accept, and the same store and queue', async () => {
    await build('api', 'scheduler', 'runner');
    const [api, scheduler, runner] = processes({
      LOG_LEVEL: 'debug',
      STORE_URL: 'mongodb://db/x',
      PORT: '1',
    });
    const configs = [
      loadApiConfig(api?.env ?? {}),
      loadSchedulerConfig(scheduler?.env ?? {}),
      loadRunnerConfig(runner?.env ?? {}),
    ];
    for (const config of configs) {
      expect(config).toMatchObject({
        logLevel: 'debug',
        dataDir: join(dir, 'data'),
        storeUrl: 'mongodb://db/x',
        redisUrl: 'redis://:p@127.0.0.1:4000',
      });
    }
    expect(configs[0]).toMatchObject({
      port: 8081,
      jwtKeys: ['s'.repeat(64)],
      webDir: join(dir, 'dist/web'),
    });
    expect(configs[2]).toMatchObject({ runtime: 'docker', dockerHost: 'unix:///var/run/docker.sock' });
  });

  it('get the rules by which is placed', async () => {
    await build('api', 'scheduler', 'runner');
    const [api, scheduler] = processes({
      SCHEDULING_POLICY: 'spread',
      PREEMPTION: 'priority',
      AGEING_SECONDS: '60',
      RESERVE_AFTER_SECONDS: '5',
      DEFAULT_RUN_SECONDS: '20',
      DECISION_LOG_MB: '1',
    });
    expect(loadSchedulerConfig(scheduler?.env ?? {})).toMatchObject({
      rules: { policy: 'spread', preemption: true, ageingMs: 60_000, reserveAfterMs: 5_000 },
      defaultRunSeconds: 20,
      decisionLogBytes: 1_048_576,
    });
    expect(loadApiConfig(api?.env ?? {}).defaultRunSeconds).toBe(20);
  });

  it('do not all get the secret that signs sessions, and a given one goes before ours', async () => {
    await build('api', 'scheduler', 'runner');
    const [api, scheduler, runner] = processes({ JWT_SECRET: 'mine'.repeat(8) });
    expect(api?.env.JWT_SECRET).toBe('mine'.repeat(8));
    expect(scheduler?.env).not.toHaveProperty('JWT_SECRET');
    expect(runner?.env).not.toHaveProperty('JWT_SECRET');
  });

  it('give the token of the cluster to the API alone, ours or the one that was given', async () => {
    await build('api', 'scheduler', 'runner');
    const [api, scheduler, runner] = processes();
    expect(api?.env.CLUSTER_TOKEN).toBe('t'.repeat(64));
    for (const part of [scheduler, runner]) expect(part?.env).not.toHaveProperty('CLUSTER_TOKEN');
    const [given, ...others] = processes({ CLUSTER_TOKEN_FILE: '/run/token' }, null);
    expect(given?.env).toMatchObject({ CLUSTER_TOKEN: undefined, CLUSTER_TOKEN_FILE: '/run/token' });
    for (const part of others) expect(part.env).not.toHaveProperty('CLUSTER_TOKEN_FILE');
  });

  it('are missed before they are started when they were not built', async () => {
    await build('api', 'scheduler');
    expect(() => processes()).toThrow(/runner\/main\.js is missing: run "npm run build"/);
  });
});
