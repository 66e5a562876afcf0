import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeWorkerBody, refusal } from '../test/support/small-api.ts';

let stage: CliStage;

beforeEach(async () => {
  stage = await openCliStage();
  stage.api.on('GET /workers', () => ({
    workers: [makeWorkerBody(), makeWorkerBody({ worker_id: 'gpu-1' })],
  }));
});
afterEach(() => stage.close());

const found = makeWorkerBody().fingerprint!;

describe('one worker', () => {
  it('is shown with what its tasks may reach, what it is, has and uses', async () => {
    const guarded = { ...found, task_network: 'guarded' as const };
    const mounts = [{ path: '/data', read_only: true }];
    stage.api.on('GET /workers/:id', () =>
      makeWorkerBody({ labels: { disk: 'nvme' }, mounts, fingerprint: guarded }),
    );
    const { code, out } = await stage.cloudai(['workers', 'worker-1']);
    expect(code).toBe(0);
    const facts = new Map(out.split('\n').map((line) => [line.slice(0, 11).trim(), line.slice(12)]));
    expect(Object.fromEntries(facts)).toMatchObject({
      worker: 'worker-1',
      state: 'ready',
      address: '10.0.0.1',
      seen: '1.2s ago',
      labels: 'disk=nvme',
      mounts: '/data (read-only)',
      tasks: '2 running, 1 about to start',
      cores: '2 of 8 held',
      memory: '4 GB of 16 GB held',
      'in use': '38% of its cores, 4.9 GB memory, 39.1 GB disk, network 1.9 MB/s in, 1.5 KB/s out',
      network: "guarded: kept away from the machine, the cluster's servers and cloud metadata",
      processor: 'test, 8 cores',
      runtime: 'docker 20.10.24',
    });
    expect([...facts.keys()]).not.toContain('GPUs');
    expect([...facts.keys()]).not.toContain('why');
  });

  it('says why its network is open, and nothing where its runner does not', async () => {
    const open = { ...found, task_network: 'open' as const, task_network_why: 'the runner is not root' };
    stage.api.on('GET /workers/:id', () => makeWorkerBody({ fingerprint: open }));
    expect((await stage.cloudai(['workers', 'worker-1'])).out).toContain(
      'network     open: tasks reach whatever the machine reaches (the runner is not root)\n',
    );
    stage.api.on('GET /workers/:id', () => makeWorkerBody());
    expect((await stage.cloudai(['workers', 'worker-1'])).out).not.toMatch(/^network/m);
  });

  it('says what is wrong with it and what an admin has set', async () => {
    const ill = makeWorkerBody({
      state: 'unhealthy',
      maintenance: 'cordoned',
      message: 'its disk is full',
      troubles: [
        { code: 'engine_disk_full', message: 'its disk is full', since: '2026-01-01T09:30:00.000Z' },
      ],
      usage: null,
      heartbeat_age_seconds: null,
      clock_offset_ms: 3_600_000,
      capacity: { cpu: 8, memory: 16_384, gpu: 2, storage: 100_000 },
      fingerprint: { ...found, gpu_models: ['L4', 'L4'] },
    });
    stage.api.on('GET /workers/:id', () => ill);
    const { out } = await stage.cloudai(['workers', 'gpu']);
    expect(stage.api.asked.at(-1)?.path).toBe('/workers/gpu-1');
    expect(out).toContain('state       cordoned, and unhealthy\n');
    expect(out.match(/its disk is full/g)).toHaveLength(1);
    expect(out).toContain('why         its disk is full, since 2026-01-01T09:30:00.000Z\n');
    expect(out).toContain("clock       1h 0m ahead of the cluster's, which is used\n");
    expect(out).toContain('devices     2 × L4\n');
    expect(out).not.toContain('in use');
  });

  it('is its record with --json and its id with --quiet; one that is not there is an error', async () => {
    stage.api.on('GET /workers/:id', () => makeWorkerBody());
    expect(JSON.parse((await stage.cloudai(['workers', 'worker-1', '--json'])).out)).toEqual(
      makeWorkerBody(),
    );
    expect((await stage.cloudai(['workers', 'worker-1', '--quiet'])).out).toBe('worker-1\n');
    stage.api.on('GET /workers/:id', () => refusal(404, 'not_found', 'there is no worker "worker-9"'));
    const none = await stage.cloudai(['workers', 'worker-9']);
    expect(none.code).not.toBe(0);
    expect(none.err).toContain('there is no worker "worker-9"');
  });

  it('lets nothing that a machine calls itself steer the terminal', async () => {
    stage.api.on('GET /workers/:id', () =>
      makeWorkerBody({ address: 'a\x1b[2Jb', fingerprint: { ...found, cpu_model: 'x\x1b]0;y' } }),
    );
    expect((await stage.cloudai(['workers', 'worker-1'])).out).not.toContain('\x1b');
  });
});
