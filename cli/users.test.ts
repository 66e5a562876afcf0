import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { AccountBody } from '../shared/contracts/users.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { NO_LIMITS, refusal, Status } from '../test/support/small-api.ts';
import { readProfile, writeProfile } from './profile.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const lastAsked = () => api.asked.at(-1);

const account = (over: Partial<AccountBody> = {}): AccountBody => ({
  user_id: 'user-1',
  username: 'alice',
  role: 'user',
  created_at: '2026-01-01T09:01:00.000Z',
  disabled: false,
  quota: { ...NO_LIMITS, unfinished_tasks: 100, upload_storage: 10_240 },
  used: { unfinished_tasks: 3, upload_storage: 12.4, cpu: 0, memory: 0, gpu: 0 },
  ...over,
});

describe('passwd', () => {
  const fresh = { token: 'fresh', expires_at: '2026-01-02T10:00:00.000Z', user: account() };
  const signIn = { username: 'alice', token: 'old', expires_at: '2026-01-01T12:00:00.000Z' };
  /** As somebody who has signed in here. */
  const asSignedIn = { CLOUDAI_TOKEN: '' };
  const keep = (username: string) =>
    writeProfile(stage.profileFile, {
      url: null,
      sign_ins: { [api.url]: { ...signIn, username }, 'http://b': signIn },
    });

  it('asks for the one of now and twice for the new one, and keeps the fresh sign-in', async () => {
    api.on('POST /api/auth/password', () => fresh);
    await keep('alice');
    const answers = ['secure123', 'another-secret', 'another-secret'];
    const told = await cloudai(['passwd'], { env: asSignedIn, answers });
    expect(told).toEqual({
      code: 0,
      out: 'The password of alice is changed; all other sign-ins have ended.\n',
      err: '',
    });
    expect(lastAsked()?.headers.authorization).toBe('Bearer old');
    expect(lastAsked()?.body).toEqual({ current_password: 'secure123', new_password: 'another-secret' });
    expect((await readProfile(stage.profileFile)).sign_ins).toEqual({
      [api.url]: { ...signIn, token: 'fresh', expires_at: fresh.expires_at },
      'http://b': signIn,
    });
  });

  it('leaves the sign-in of another user alone, and shows no token', async () => {
    api.on('POST /api/auth/password', () => fresh);
    await keep('bob');
    const told = await cloudai(['passwd', '--password-stdin', '--json'], {
      input: 'secure123\nanother one\n',
    });
    expect(told.code).toBe(0);
    expect(told.out).not.toContain('fresh');
    expect(lastAsked()?.body).toEqual({ current_password: 'secure123', new_password: 'another one' });
    expect((await readProfile(stage.profileFile)).sign_ins[api.url]?.username).toBe('bob');
  });

  it('says what is wrong before it asks the API, and what the API found', async () => {
    expect(
      await cloudai(['passwd'], { answers: ['secure123', 'one-secret', 'another-secret'] }),
    ).toMatchObject({
      code: 2,
      err: 'cloudai: the two passwords differ\nTry again.\n',
    });
    expect(await cloudai(['passwd', '--password-stdin'], { input: 'only-one\n' })).toMatchObject({
      code: 2,
      err: expect.stringContaining('must hold two lines'),
    });
    expect(await cloudai(['passwd'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('no terminal to ask for the password on'),
    });
    expect(api.asked).toEqual([]);
    const detail = { field: 'current_password', message: 'wrong' };
    api.on('POST /api/auth/password', () => refusal(403, 'forbidden', 'wrong', [detail]));
    expect(await cloudai(['passwd', '--password-stdin'], { input: 'a\nb\n' })).toMatchObject({
      code: 4,
      err: 'cloudai: the current password is wrong\nTry again.\n',
    });
  });
});

describe('users', () => {
  it('are listed with what they use of what they may', async () => {
    const bob = account({
      username: 'bob\x1b[2J',
      role: 'admin',
      disabled: true,
      quota: NO_LIMITS,
    });
    api.on('GET /api/users', () => ({ users: [account(), bob], next_cursor: 'bob' }));
    const told = await cloudai(['users', '--match', 'b', '--limit', '2']);
    expect(lastAsked()?.query).toEqual({ q: 'b', limit: '2' });
    expect(told.out.split('\n').map((line) => line.trimEnd())).toEqual([
      'USER     ROLE   STATE     UNFINISHED         UPLOADS  MADE',
      'alice    user   active      3 of 100  12 MB of 10 GB  1h ago',
      expect.stringMatching(/^bob.+ admin +disabled +3 +12 MB +1h ago$/),
      '',
    ]);
    expect(told.out).not.toContain('\x1b');
    expect(told.err).toBe('There are more; ask for them with --limit.\n');
  });

  it('are shown one by one, without a name oneself', async () => {
    api.on('GET /api/auth/me', () => account());
    const told = await cloudai(['user']);
    expect(told.out).toBe(
      [
        'User:             alice (user-1)',
        'Role:             user',
        'State:            active',
        'Unfinished tasks: 3 of 100',
        'Uploads:          12 MB of 10 GB',
        'Cores held:       0',
        'Memory held:      0 MB',
        'Made:             1h ago',
        '',
      ].join('\n'),
    );
    api.on('GET /api/users/bob', () => account({ username: 'bob' }));
    expect(await cloudai(['user', 'bob', '--quiet'])).toMatchObject({ code: 0, out: 'bob\n' });
  });

  it('are shown with what their tasks hold of what they may', async () => {
    const carol = account({
      username: 'carol',
      quota: { ...NO_LIMITS, cpu: 16, gpu: 2, rate_limit_reads: 50, rate_limit_writes: 0 },
      used: { unfinished_tasks: 2, upload_storage: 0, cpu: 2.5, memory: 2_048, gpu: 0 },
    });
    api.on('GET /api/users', () => ({ users: [account(), carol], next_cursor: null }));
    const { out } = await cloudai(['users']);
    expect(out).toMatch(/^USER .+ UPLOADS +CORES +MEMORY +GPUS +MADE *$/m);
    expect(out).toMatch(/^alice .+ 12 MB of 10 GB +0 +0 MB +0 +1h ago$/m);
    expect(out).toMatch(/^carol .+ 0 MB +2\.5 of 16 +2 GB +0 of 2 +1h ago$/m);
    api.on('GET /api/users/carol', () => carol);
    expect((await cloudai(['user', 'carol'])).out).toContain(
      'Cores held:       2.5 of 16\nMemory held:      2 GB\nGPUs held:        0 of 2\n' +
        'Reads a second:   at most 50\nWrites a second:  any number\n',
    );
  });

  it('are made with a password that is asked for twice', async () => {
    api.on('POST /api/users', () => new Status(201, account({ username: 'bob', role: 'admin' })));
    const told = await cloudai(['add-user', 'bob', '--role', 'admin'], {
      answers: ['secure123', 'secure123'],
    });
    expect(told).toEqual({ code: 0, out: 'Account bob (admin) is made.\n', err: '' });
    expect(lastAsked()?.body).toEqual({ username: 'bob', password: 'secure123', role: 'admin' });
    expect(await cloudai(['add-user', 'bob', '--role', 'god'])).toMatchObject({
      code: 2,
      err: expect.stringContaining('admin, user'),
    });
  });

  it('are changed in what is named, and in nothing else', async () => {
    api.on('PATCH /api/users/bob', () => account({ username: 'bob' }));
    const sent = async (...words: string[]) => {
      const { code } = await cloudai(['set-user', 'bob', ...words], { answers: ['secure123', 'secure123'] });
      expect(code).toBe(0);
      return lastAsked()?.body;
    };
    expect(await sent('--disable')).toEqual({ disabled: true });
    expect(await sent('--enable', '-role', 'admin')).toEqual({ disabled: false, role: 'admin' });
    expect(await sent('-max_tasks', '0', '--max-storage', 'none')).toEqual({
      quota: { unfinished_tasks: 0, upload_storage: null },
    });
    expect(await sent('--max-cores', '1.5', '-max_memory', '2048', '--max-gpus', 'none')).toEqual({
      quota: { cpu: 1.5, memory: 2_048, gpu: null },
    });
    expect(await sent('--max-reads', '50', '-max_writes', 'none')).toEqual({
      quota: { rate_limit_reads: 50, rate_limit_writes: null },
    });
    expect(await sent('--password')).toEqual({ password: 'secure123' });
    const asked = api.asked.length;
    for (const [words, why] of [
      [[], 'nothing is to be changed'],
      [['--disable', '--enable'], 'exclude each other'],
      [['--max-tasks', '1.5'], 'whole number or none'],
      [['--max-storage', '-1'], 'whole number or none'],
      [['--max-gpus', '0.5'], 'whole number or none'],
      [['--max-cores', '-1'], 'It must be a number or none.'],
      [['--max-cores', '1e9'], 'It must be a number or none.'],
    ] as const) {
      const told = await cloudai(['set-user', 'bob', ...words]);
      expect(told).toMatchObject({ code: 2, err: expect.stringContaining(why) });
    }
    expect(api.asked).toHaveLength(asked);
  });

  it('over their quota are told so, and not to sign in as somebody else', async () => {
    const message = 'alice may have at most 1 unfinished tasks, 1 are there and 1 would come: cancel some';
    api.on('POST /api/tasks', () => refusal(403, 'quota_exceeded', message));
    const told = await cloudai(['task', 'python:3.9']);
    expect(told).toMatchObject({ code: 1, err: `cloudai: ${message}\n` });
  });
});
