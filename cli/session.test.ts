import { stat, writeFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { makeTaskBody, makeWorkerBody, refusal, Status, startSmallApi } from '../test/support/small-api.ts';
import { readProfile } from './profile.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const lastBody = () => api.asked.at(-1)?.body;

describe('cloudai', () => {
  it('without a command tells on standard error how it is used', async () => {
    for (const settings of [[], ['--url', 'http://x', '-json']]) {
      const { code, out, err } = await cloudai(settings);
      expect({ code, out }).toEqual({ code: 2, out: '' });
      expect(err).toContain('Usage: cloudai');
    }
    expect(await cloudai(['--url'])).toMatchObject({ code: 2, err: expect.stringContaining('missing') });
  });

  it('waits when it asks too much, and says so to people alone', async () => {
    for (const [argv, said] of [
      [['workers'], 'rate limited, waiting 1 s\n'],
      [['workers', '--json'], ''],
    ] as const) {
      const details = [{ field: 'requests', message: 'too many' }];
      const refused = refusal(429, 'rate_limited', 'too many', details);
      let refusals = 1;
      api.on('GET /workers', () =>
        refusals-- > 0
          ? new Status(429, refused.body, { 'retry-after': '1' })
          : { workers: [makeWorkerBody()] },
      );
      const { code, out, err } = await cloudai([...argv]);
      expect({ code, err }).toEqual({ code: 0, err: said });
      expect(out).toContain(makeWorkerBody().worker_id);
    }
  });

  it('prints its version and the help of a command', async () => {
    expect(await cloudai(['--version'])).toEqual({ code: 0, out: '1.2.3\n', err: '' });
    const { code, out } = await cloudai(['task', '-help']);
    expect(code).toBe(0);
    expect(out).toContain('--cpu_cores <n>');
    expect(out).toContain('--url <url>');
  });

  it('has help by topic, for each command with examples, and for what is below another', async () => {
    const all = await cloudai(['help']);
    expect(all).toMatchObject({ code: 0, err: '' });
    expect(all.out).toMatch(
      /\nTasks:\n {2}task [\s\S]*\n {2}list-tasks[\s\S]*\nFiles:\n[\s\S]*\nCluster:\n[\s\S]*\n {2}login/,
    );
    expect(all.out).not.toContain('complete [');
    expect((await cloudai(['help', 'cancel'])).out).toMatch(
      /Usage: cloudai cancel[\s\S]*Examples:\n {2}cancel task-/,
    );
    expect((await cloudai(['help', 'describe'])).out).toContain('Usage: cloudai get');
    expect((await cloudai(['help', 'webhooks', 'create'])).out).toContain('Usage: cloudai webhooks create');
    expect(await cloudai(['help', 'cancle'])).toEqual({
      code: 2,
      out: '',
      err: "cloudai: unknown command 'cancle'\nDid you mean cancel?\n",
    });
    expect((await cloudai(['help', 'webhooks', 'crate'])).err).toContain('Did you mean create?');
  });

  it('suggests the near command', async () => {
    const { code, err } = await cloudai(['tsk', 'python:3.9']);
    expect(code).toBe(2);
    expect(err).toBe("cloudai: unknown command 'tsk'\nDid you mean task?\n");
  });
});

describe('signing in', () => {
  const user = {
    user_id: 'user-1',
    username: 'alice',
    role: 'admin',
    created_at: '2026-01-01T10:00:00.000Z',
  };
  const env = { CLOUDAI_TOKEN: '', CLOUDAI_URL: '' };

  beforeEach(() => {
    api.on('POST /api/auth/login', ({ body }) =>
      (body as { password: string }).password === 'secure123'
        ? { token: 'signed-in', expires_at: '2026-01-02T10:00:00.000Z', user }
        : refusal(401, 'unauthenticated', 'wrong username or password'),
    );
    api.on('GET /api/auth/tokens', ({ headers }) =>
      headers.authorization === 'Bearer signed-in'
        ? { tokens: [] }
        : refusal(401, 'unauthenticated', 'sign in first'),
    );
  });

  it('keeps the token where only its owner can read it, and uses it', async () => {
    const { code, out } = await cloudai(['login', '--url', api.url, '--username', 'alice'], {
      env,
      answers: ['secure123'],
    });
    expect(code).toBe(0);
    expect(out).toBe(`Signed in to ${api.url} as alice (admin).\n`);
    expect((await stat(stage.profileFile)).mode & 0o777).toBe(0o600);
    expect((await cloudai(['tokens', 'list'], { env })).code).toBe(0);
  });

  it('never sends the token of one address to another', async () => {
    await cloudai(['login', '--url', api.url, '--username', 'alice'], { env, answers: ['secure123'] });
    const other = await startSmallApi();
    other.on('GET /api/auth/tokens', () => ({ tokens: [] }));
    await cloudai(['tokens', 'list', '--url', other.url], { env });
    expect(other.asked[0]?.headers.authorization).toBeUndefined();
    await other.close();
  });

  it('reads the password from standard input without its line end', async () => {
    await cloudai(['login', '--url', api.url, '-username', 'alice', '-password-stdin'], {
      env,
      input: 'secure123\n',
    });
    expect(lastBody()).toEqual({ username: 'alice', password: 'secure123' });
  });

  it('says what to do about a wrong password', async () => {
    const { code, err } = await cloudai(['login', '--url', api.url, '--username', 'alice'], {
      env,
      answers: ['wrong'],
    });
    expect(code).toBe(4);
    expect(err).toBe(
      'cloudai: wrong username or password\nCheck both and try again. No account yet? cloudai register-user\n',
    );
  });

  it('signs out', async () => {
    await cloudai(['login', '--url', api.url, '--username', 'alice'], { env, answers: ['secure123'] });
    expect((await cloudai(['logout'], { env })).out).toBe(`Signed out of ${api.url}.\n`);
    expect(await readProfile(stage.profileFile)).toEqual({ url: api.url, sign_ins: {} });
    expect((await cloudai(['tokens', 'list'], { env })).code).toBe(4);
  });

  it('makes an account, asking twice', async () => {
    api.on('POST /api/auth/register', () => new Status(201, user));
    const good = await cloudai(['register-user', 'alice', '--url', api.url], {
      answers: ['secure123', 'secure123'],
    });
    expect(good).toMatchObject({ code: 0, out: expect.stringContaining('alice (admin)') });
    const bad = await cloudai(['register-user', 'alice', '--url', api.url], {
      answers: ['secure123', 'other'],
    });
    expect(bad).toMatchObject({ code: 2, err: expect.stringContaining('differ') });
  });

  it('does not ask where nobody can answer', async () => {
    const { code, err } = await cloudai(['login', '--username', 'alice'], { env });
    expect(code).toBe(2);
    expect(err).toContain('--password-stdin');
  });

  it('shows a new token once', async () => {
    const token = {
      token_id: 'token-1',
      name: 'ci',
      created_at: user.created_at,
      last_used_at: null,
      token: 'cai_x',
    };
    api.on('POST /api/auth/tokens', () => new Status(201, token));
    expect((await cloudai(['tokens', 'create', 'ci', '--quiet'])).out).toBe('cai_x\n');
  });

  it('names a profile file it cannot use', async () => {
    await cloudai(['login', '--url', api.url, '--username', 'alice'], { env, answers: ['secure123'] });
    await writeFile(stage.profileFile, '{');
    expect(await cloudai(['workers'])).toMatchObject({
      code: 2,
      err: expect.stringContaining(stage.profileFile),
    });
  });
});

describe('a worker', () => {
  const asWorkers = (...ids: string[]) =>
    api.on('GET /workers', () => ({ workers: ids.map((worker_id) => makeWorkerBody({ worker_id })) }));
  const drained = async (given: string) => {
    const { code, err } = await cloudai(['drain', given]);
    return code === 0 ? api.asked.at(-1)?.path : err.split('\n')[0];
  };

  beforeEach(() => api.on('POST /api/workers/:id/drain', () => makeWorkerBody()));

  it('may be named by the beginning or end of its id', async () => {
    asWorkers('gpu-north', 'gpu-south', 'cpu-3f9a41');
    expect(await drained('cpu')).toBe('/api/workers/cpu-3f9a41/drain');
    expect(await drained('cpu-3f9')).toBe('/api/workers/cpu-3f9a41/drain');
    expect(await drained('south')).toBe('/api/workers/gpu-south/drain');
    expect(await drained('gpu')).toBe('cloudai: "gpu" fits 2 workers: gpu-north, gpu-south');
    asWorkers(...Array.from({ length: 7 }, (_, at) => `w${at}-x`));
    expect(await drained('x')).toBe('cloudai: "x" fits 7 workers: w0-x, w1-x, w2-x, w3-x, w4-x, and 2 more');
  });

  it('is the one of that very name first, and a number is never cut', async () => {
    asWorkers('gpu', 'gpu-2', 'my-gpu');
    expect(await drained('gpu')).toBe('/api/workers/gpu/drain');
    asWorkers('worker-1', 'worker-10', 'worker-11');
    expect(await drained('worker-1')).toBe('/api/workers/worker-1/drain');
    expect(await drained('10')).toBe('/api/workers/worker-10/drain');
    asWorkers('worker-10', '2-worker');
    expect(await drained('worker-1')).toBe('/api/workers/worker-1/drain');
    expect(await drained('0')).toBe('/api/workers/0/drain');
    expect(await drained('worker-')).toBe('/api/workers/worker-10/drain');
  });

  it('may be yet to come when a task is meant for it', async () => {
    asWorkers('worker-1');
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    await cloudai(['dispatch', 'worker-2', 'a']);
    expect(lastBody()).toMatchObject({ worker: 'worker-2' });
    await cloudai(['dispatch', 'worker', 'a']);
    expect(lastBody()).toMatchObject({ worker: 'worker-1' });
    api.on('GET /workers', () => refusal(403, 'forbidden', 'closed'));
    await cloudai(['dispatch', 'worker', 'a']);
    expect(lastBody()).toMatchObject({ worker: 'worker' });
  });
});

// The client's own limit of a call is longer than this test's.
it('Ctrl-C ends a call that does not return', { timeout: 10_000 }, async () => {
  const interrupt = new AbortController();
  api.on('GET /workers', () => {
    interrupt.abort();
    return undefined;
  });
  expect(await cloudai(['workers'], { signal: interrupt.signal })).toEqual({ code: 130, out: '', err: '' });
});

describe('exit codes', () => {
  it('are 3 when nothing can be reached', async () => {
    const gone = await startSmallApi();
    await gone.close();
    const { code, err } = await cloudai(['workers', '--url', gone.url]);
    expect(code).toBe(3);
    expect(err).toBe(
      `cloudai: cannot reach ${gone.url}: connection refused\nIs the API running there? Name another address with --url, CLOUDAI_URL or "cloudai login --url".\n`,
    );
    expect((await cloudai(['workers', '--url', 'ftp://x'])).code).toBe(2);
  });

  it('are 3 when the API or its store is away, and 4 when it refuses the caller', async () => {
    api.on('GET /workers', () => refusal(503, 'store_unavailable', 'the store does not answer'));
    expect((await cloudai(['workers'])).code).toBe(3);
    api.on('GET /workers', () => refusal(403, 'forbidden', 'admins only'));
    expect(await cloudai(['workers'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('admins only'),
    });
    api.on('GET /workers', () => refusal(401, 'unauthenticated', 'no token'));
    expect(await cloudai(['workers'])).toMatchObject({
      code: 4,
      err: expect.stringContaining('cloudai login'),
    });
  });

  it('come with the error as JSON for scripts', async () => {
    api.on('GET /workers', () => refusal(403, 'forbidden', 'admins only'));
    const { err } = await cloudai(['workers', '--json']);
    expect(JSON.parse(err)).toMatchObject({ error: { code: 'forbidden', message: 'admins only' } });
  });
});
