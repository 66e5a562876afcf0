import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WorkerBody } from '../shared/contracts/workers.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeWorkerBody, refusal, Status } from '../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const none = { cpu: 0, memory: 0, gpu: 0, storage: 0 };
const away = (over: Partial<WorkerBody> = {}) =>
  makeWorkerBody({
    worker_id: 'worker-3',
    state: 'unreachable',
    message: 'nobody answers at 10.0.0.3:50052: the connection was refused\x1b[2J',
    address: '10.0.0.3:50052',
    capacity: none,
    reserved: none,
    free: none,
    tasks: { assigned: 0, running: 0 },
    heartbeat_age_seconds: null,
    usage: null,
    fingerprint: null,
    ...over,
  });
const there = makeWorkerBody({ worker_id: 'worker-3' });
const call = ['register', 'worker-3', '10.0.0.3:50052'];

describe('register', () => {
  it('says that a worker has joined', async () => {
    api.on('POST /api/workers', () => new Status(201, there));
    expect(await cloudai(call)).toEqual({
      code: 0,
      out: 'worker-3 has joined and is ready: 8 cores, 16 GB.\n',
      err: '',
    });
    expect(api.asked[0]?.body).toEqual({ id: 'worker-3', address: '10.0.0.3:50052' });
    expect((await cloudai([...call, '-quiet'])).out).toBe('worker-3\n');
    expect(JSON.parse((await cloudai([...call, '-json'])).out)).toEqual(there);
  });

  it('says why it has not, and what goes on', async () => {
    api.on('POST /api/workers', () => new Status(202, away()));
    const { code, out, err } = await cloudai(call);
    expect(code).toBe(0);
    expect(out).toContain('worker-3 is unreachable: nobody answers at 10.0.0.3:50052');
    expect(out).not.toContain('\x1b');
    expect(err).toContain('cloudai remove-worker worker-3');
    expect(api.asked).toHaveLength(1);
  });

  it('stays until it has joined', async () => {
    const states = [away({ message: 'it is being called' }), away({ message: 'it has joined' }), there];
    api.on('POST /api/workers', () => new Status(202, away()));
    api.on('GET /workers/:id', () => states.shift());
    const { code, out, err } = await cloudai([...call, '-wait']);
    expect({ code, out }).toEqual({ code: 0, out: 'worker-3 has joined and is ready: 8 cores, 16 GB.\n' });
    expect(err).toMatch(/nobody answers[\s\S]*being called[\s\S]*it has joined/);
  });

  it('gives up waiting in time, or when it is told to', async () => {
    api.on('POST /api/workers', () => new Status(202, away()));
    api.on('GET /workers/:id', () => away());
    expect(await cloudai([...call, '--wait', '--timeout', '1'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('unreachable'),
    });
    const stop = new AbortController();
    api.on('GET /workers/:id', () => {
      stop.abort();
      return away();
    });
    expect(await cloudai([...call, '--wait'], { signal: stop.signal })).toMatchObject({ code: 130, out: '' });
  });

  it('tells a refusal with its exit code', async () => {
    const words = "the runner at 10.0.0.3:50052 does not hold this cluster's token";
    api.on('POST /api/workers', () => refusal(409, 'adoption_refused', words));
    expect(await cloudai(call)).toMatchObject({ code: 1, err: expect.stringContaining(words) });
    api.on('POST /api/workers', () => refusal(403, 'forbidden', 'only an admin may do this'));
    expect((await cloudai(call)).code).toBe(4);
    api.on('POST /api/workers', () => refusal(400, 'invalid_request', '"address" has the port "x"'));
    expect((await cloudai(call)).code).toBe(2);
    expect((await cloudai(['register', 'worker-3'])).code).toBe(2);
  });
});

describe('workers', () => {
  it('shows those that do not answer, and why', async () => {
    api.on('GET /workers', () => ({ workers: [there, away({ worker_id: 'worker-4' })] }));
    const { out } = await cloudai(['workers'], { color: true });
    expect(out).toContain('\x1b[31munreachable\x1b[39m');
    expect(out).toMatch(/worker-4 +.*never/);
    expect(out).toContain('\nworker-4 is unreachable: nobody answers at 10.0.0.3:50052');
    expect(out).not.toContain('\x1b[2J');
  });
});
