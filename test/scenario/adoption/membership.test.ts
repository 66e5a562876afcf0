// The whole life of a machine that is added by hand: it waits, is adopted, works, is restarted, is removed and waits
// again. Real store and Redis, scripted containers, the API and the scheduler played by the test.

import { access, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type MemberLife, Membership } from '../../../runner/adopt/membership.ts';
import { createRunner, type Runner } from '../../../runner/runner.ts';
import { createScriptedEngine, openScriptedRuntime } from '../../../shared/adapters/scripted/open.ts';
import type { ClusterSettings } from '../../../shared/contracts/adoption.ts';
import type { Task, TaskState } from '../../../shared/model/task.ts';
import { assignTask, requestCancel } from '../../../shared/model/task-life.ts';
import { systemClock } from '../../../shared/platform/clock.ts';
import { loadWaitingConfig } from '../../../shared/platform/config/waiting-runner.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { openRedis, type RedisParts } from '../../../shared/wiring/open-redis.ts';
import { openRecords, type Records } from '../../../shared/wiring/open-store.ts';
import { tryCluster } from '../../../shared/wiring/try-cluster.ts';
import { makeSettings, playedApi, TOKEN } from '../../support/played-adoption.ts';
import { redisUrl, tempDir, uniqueName } from '../../support/servers.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';

const log = silentLog();
const small = { cpuMillis: 100, memoryMb: 10, gpus: 0, storageMb: 0 };
let dir: string;
let remove: () => Promise<void>;
let settings: ClusterSettings;
let cluster: Records;
let redis: RedisParts;
let term: number;
let engine: ReturnType<typeof createScriptedEngine>;
let started: Membership[];
let said: string[];
let fatal: unknown[];
/** Between two looks of a runner that nobody nudges. */
let sweepEveryMs: number;
/** How often runners looked for containers. */
let looks: number;

beforeEach(async () => {
  ({ path: dir, remove } = await tempDir());
  await mkdir(join(dir, 'cluster/files'), { recursive: true });
  settings = makeSettings({
    STORE_URL: `sqlite:${dir}/cluster/cloudai.db`,
    FILES_URL: `file:${dir}/cluster/files`,
    REDIS_URL: redisUrl,
    REDIS_PREFIX: uniqueName('t-adopt-'),
    WORKER_LEASE_SECONDS: 3,
    WORKER_ID: uniqueName('w-'),
  });
  cluster = await openRecords({ storeUrl: settings.STORE_URL, filesUrl: settings.FILES_URL });
  redis = await openRedis({ url: redisUrl, prefix: settings.REDIS_PREFIX, patience: 'patient', log });
  term = await cluster.store.nextTerm();
  engine = createScriptedEngine();
  [started, said, fatal] = [[], [], []];
  looks = 0;
  sweepEveryMs = 50;
});
afterEach(async () => {
  await Promise.all(started.map((membership) => membership.stop()));
  await redis.close();
  await cluster.store.close();
  await remove();
});

const dataDir = () => join(dir, 'machine');
const keptFile = () => join(dataDir(), 'cluster-settings.json');

/** What main.ts does, with containers that are acted out and a quick look at the own record. */
async function openRunner({ config, ...life }: MemberLife) {
  const records = await openRecords(config);
  const own = await openRedis({ url: config.redisUrl, prefix: config.redisPrefix, patience: 'patient', log });
  const scripted = openScriptedRuntime({ engine });
  const runtime = {
    ...scripted,
    list: (workerId: string) => {
      looks += 1;
      return scripted.list(workerId);
    },
  };
  const runner: Runner = createRunner({
    config,
    ...life,
    ...records,
    ...own,
    runtime,
    clock: systemClock,
    log,
    sweepEveryMs,
    onFatal: (error) => fatal.push(error),
  });
  let stopping: Promise<void> | null = null;
  const close = async () => {
    await runner.stop();
    await runtime.close();
    await own.close();
    await records.store.close();
  };
  const stop = () => {
    stopping ??= close();
    return stopping;
  };
  return { stop, up: runner.start() };
}

async function start({ env = {}, forget = false }: { env?: Record<string, string>; forget?: boolean } = {}) {
  const all = {
    DATA_DIR: dataDir(),
    CLUSTER_TOKEN: TOKEN,
    RUNNER_LISTEN: '127.0.0.1:0',
    STOP_GRACE_SECONDS: '1',
    ...env,
  };
  const membership = new Membership({
    config: loadWaitingConfig(all),
    env: all,
    forget,
    clock: systemClock,
    log,
    tryCluster,
    openRunner,
    say: (text) => said.push(text),
    onFatal: (error) => fatal.push(error),
  });
  started.push(membership);
  await membership.start();
  return membership;
}

const adopt = (membership: Membership, over: Partial<ClusterSettings> = {}) =>
  playedApi(membership.port!).adopt({ ...settings, ...over });
const untilSaid = (text: string) =>
  waitFor(() => said.some((line) => line.includes(text)), {
    what: `"${text}" to be said`,
    deadlineMs: 20_000,
  });
const untilWaiting = (membership: Membership) =>
  waitFor(() => membership.port !== null, { what: 'it to wait again', deadlineMs: 20_000 });

async function submit(command: string, workerId = settings.WORKER_ID): Promise<Task> {
  const task = makeTask({ resources: small, command });
  await cluster.store.tasks.insert([task]);
  const placed = taken(assignTask(task, { workerId, term, now: Date.now() }));
  await cluster.store.tasks.place([placed], term);
  await redis.deliveries.deliver([{ workerId, taskId: task.id, attempt: placed.attempt }]);
  return placed;
}

const until = ({ id }: Task, state: TaskState) =>
  waitFor(async () => (await cluster.store.tasks.get(id))?.state === state, {
    what: `${id} to be ${state}`,
    deadlineMs: 20_000,
  });

describe('a machine that is added by hand', () => {
  it('waits, is adopted, works, and goes on with that after a restart', async () => {
    const first = await start();
    expect(said).toEqual([expect.stringMatching(/^waiting at 127\.0\.0\.1:\d+ to be added/)]);
    expect(await adopt(first)).toBe(true);
    await untilSaid(`${settings.WORKER_ID} is up`);
    expect(first.port).toBeNull();
    expect(await cluster.store.workers.get(settings.WORKER_ID)).toMatchObject({ address: '127.0.0.1' });
    await until(await submit('print hello'), 'completed');
    const running = await submit('print up; sleep 1000; print end');
    await until(running, 'running');
    await first.stop();
    expect((await stat(keptFile())).mode & 0o777).toBe(0o600);

    said.length = 0;
    const second = await start();
    expect(second.port).toBeNull();
    expect(said).toEqual([`goes on as ${settings.WORKER_ID}`, `${settings.WORKER_ID} is up`]);
    await until(running, 'completed');
    await until(await submit('print again'), 'completed');
    expect(fatal).toEqual([]);
  });

  it('that an admin removes ends what runs, then waits and can be added anew, under another name, too', async () => {
    const membership = await start();
    await adopt(membership);
    await untilSaid('is up');
    const task = await submit('forever');
    await until(task, 'running');
    await cluster.store.workers.remove(settings.WORKER_ID);
    // It takes no more, but has not forgotten while something runs.
    const late = await waitFor(
      async () => {
        const one = await submit('print late');
        const isTaken = await waitFor(
          async () => (await cluster.store.tasks.get(one.id))?.state !== 'assigned',
          { what: 'it to be taken', deadlineMs: 500 },
        ).catch(() => false);
        return isTaken ? null : one;
      },
      { what: 'a task that is not taken', deadlineMs: 20_000 },
    );
    expect(membership.port).toBeNull();
    await access(keptFile());
    for (const { id } of [task, late]) {
      const now = (await cluster.store.tasks.get(id))!;
      const wish = { force: true, requestedBy: 'alice', now: Date.now() };
      await cluster.store.tasks.commit(taken(requestCancel(now, wish)));
    }
    await untilWaiting(membership);
    expect(said.filter((line) => line.includes('was removed'))).toHaveLength(1);
    await expect(access(keptFile())).rejects.toThrow();
    expect(await redis.presence.present()).toEqual([]);

    const other = uniqueName('w-');
    await adopt(membership, { WORKER_ID: other });
    await untilSaid(`${other} is up`);
    await until(await submit('print new', other), 'completed');
    expect(fatal).toEqual([]);
  });

  it('that was removed does not leave a container behind of which nobody knows', async () => {
    const membership = await start();
    await adopt(membership);
    await untilSaid('is up');
    const engineRoom = openScriptedRuntime({ engine });
    const left = await engineRoom.create({
      taskId: 'task-of-nobody',
      attempt: 1,
      workerId: settings.WORKER_ID,
      ownerId: 'alice',
      image: 'none',
      command: 'forever',
      env: {},
      resources: small,
      gpuIds: [],
      network: 'none',
      hasInput: false,
      mounts: [],
      pidsLimit: 10,
    });
    await cluster.store.workers.remove(settings.WORKER_ID);
    const before = looks;
    await waitFor(() => looks > before + 6, { what: 'several looks' });
    expect(membership.port).toBeNull();
    await engineRoom.remove(left);
    await untilWaiting(membership);
  });

  it('that is told of its removal does not wait for its next look', async () => {
    sweepEveryMs = 3_600_000;
    const membership = await start();
    await adopt(membership);
    await untilSaid('is up');
    await cluster.store.workers.remove(settings.WORKER_ID);
    await redis.bus.nudge(settings.WORKER_ID, { type: 'removed' });
    await untilWaiting(membership);
  });

  it('that was removed while it was off does not come back by itself', async () => {
    const first = await start();
    await adopt(first);
    await untilSaid('is up');
    await waitFor(async () => JSON.parse(await readFile(keptFile(), 'utf8')).has_joined === true, {
      what: 'it to keep that it has joined',
    });
    await first.stop();
    await cluster.store.workers.remove(settings.WORKER_ID);
    const second = await start();
    await untilWaiting(second);
    expect(await cluster.store.workers.get(settings.WORKER_ID)).toBeNull();
    await adopt(second);
    await waitFor(async () => (await cluster.store.workers.get(settings.WORKER_ID)) !== null, {
      what: 'it to be added again',
    });
  });

  it('that was adopted and died before it was up comes up at the next start', async () => {
    await mkdir(dataDir(), { recursive: true });
    await writeFile(keptFile(), JSON.stringify({ settings, has_joined: false }));
    const membership = await start();
    expect(membership.port).toBeNull();
    expect(await cluster.store.workers.get(settings.WORKER_ID)).not.toBeNull();
  });

  it('never makes an empty store where that of its cluster is gone', async () => {
    const first = await start();
    await adopt(first);
    await untilSaid('is up');
    await first.stop();
    await rm(join(dir, 'cluster/cloudai.db'));
    await expect(start()).rejects.toMatchObject({
      code: 'store_unavailable',
      message: expect.stringMatching(/STORE_URL names .*cloudai\.db, which is not there/),
    });
    await expect(access(join(dir, 'cluster/cloudai.db'))).rejects.toThrow();
  });
});

describe('kept settings', () => {
  const keep = async (text: string) => {
    await mkdir(dataDir(), { recursive: true });
    await writeFile(keptFile(), text);
  };

  it('that are damaged are named, and the machine waits', async () => {
    await keep('{"STORE_URL":');
    const membership = await start();
    expect(membership.port).not.toBeNull();
    expect(said[0]).toMatch(/cluster-settings\.json cannot be used .*it waits anew/);
    await adopt(membership);
    expect(JSON.parse(await readFile(keptFile(), 'utf8'))).toMatchObject({ settings });
  });

  it('are dropped when that is asked for', async () => {
    await keep(JSON.stringify({ settings, has_joined: true }));
    const membership = await start({ forget: true });
    expect(membership.port).not.toBeNull();
    await expect(access(keptFile())).rejects.toThrow();
  });

  it('under another name than the one it is started with are not used', async () => {
    await keep(JSON.stringify({ settings, has_joined: true }));
    await expect(start({ env: { WORKER_ID: 'worker-9' } })).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringMatching(/WORKER_ID is worker-9.*[\s\S]*--forget/),
    });
  });
});

describe('a machine that waits', () => {
  it('refuses a cluster it cannot reach, says so here, too, and waits on', async () => {
    const membership = await start();
    await expect(adopt(membership, { STORE_URL: `sqlite:${dir}/none.db` })).rejects.toThrow(
      /STORE_URL names .*none\.db, which is not there on this machine/,
    );
    expect(said.at(-1)).toMatch(/cannot work with the settings of this cluster/);
    expect(await adopt(membership)).toBe(true);
  });

  it('stops when it is told to', async () => {
    const membership = await start();
    const { port } = membership;
    await membership.stop();
    await expect(fetch(`http://127.0.0.1:${port}/`)).rejects.toThrow();
  });
});
