import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { CancelManyBody } from '../../shared/contracts/task-lists.ts';
import type { TaskState } from '../../shared/model/task.ts';
import { type CliStage, openCliStage } from '../../test/support/cli-stage.ts';
import { makeTaskBody, refusal, Status } from '../../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];
/** How often states were asked for so far. */
let calls: number;

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
  calls = 0;
});
afterEach(() => stage.close());

const idOf = (index: number) => `task-01${String(index).padStart(24, '0')}`;
const ids = (count: number) => Array.from({ length: count }, (_, index) => idOf(index));
const asked = (path: string) => api.asked.filter((one) => one.path === path);
const inputOf = (count: number) => ids(count).join('\n');

/** Tasks that are as `stateOf` says, by their number and the number of the call. */
function tasksAre(stateOf: (index: number, call: number) => TaskState, over: Partial<TaskBody> = {}): void {
  api.on('POST /api/tasks/states', ({ body }) => {
    const { task_ids } = body as { task_ids: string[] };
    calls += 1;
    const tasks = task_ids.map((task_id) => {
      const index = Number(task_id.slice(-24));
      return makeTaskBody({ task_id, name: `n${index}`, status: stateOf(index, calls), ...over });
    });
    return { tasks, unknown: [] };
  });
}

describe('wait', () => {
  it('asks about thousands with a call a thousand, and only about those left', async () => {
    tasksAre((index, call) => (index < 2_400 || call > 3 ? 'completed' : 'running'));
    const { code, out, err } = await cloudai(['wait', '-'], { input: inputOf(2_500), progress: true });
    expect({ code, out }).toEqual({ code: 0, out: 'All 2500 tasks completed.\n' });
    const sizes = asked('/api/tasks/states').map(({ body }) => (body as { task_ids: [] }).task_ids.length);
    expect(sizes).toEqual([1_000, 1_000, 500, 100]);
    expect(err).toContain('2400 done, 100 left (100 running)');
    expect(err.endsWith('\r')).toBe(true);
  });

  it('exits 1 when one did not complete, and shows the first of those', async () => {
    tasksAre((index) => (index < 30 ? 'failed' : 'completed'), { message: 'exited with code 3\x1b[2J' });
    const { code, out } = await cloudai(['wait', '-'], { input: inputOf(40) });
    expect(code).toBe(1);
    expect(out).toContain('10 of 40 tasks completed, 30 failed.');
    expect(out.match(/exited with code 3/g)).toHaveLength(20);
    expect(out).toContain('and 10 more');
    expect(out).not.toContain('\x1b');
    const quiet = await cloudai(['wait', '-', '--quiet'], { input: inputOf(40) });
    expect(quiet.out).toBe(`${ids(30).join('\n')}\n`);
    const { not_completed, ...json } = JSON.parse(
      (await cloudai(['wait', '-', '--json'], { input: inputOf(40) })).out,
    );
    expect(json).toEqual({ total: 40, completed: 10, failed: 30, cancelled: 0, left: 0, timed_out: false });
    expect(not_completed[0]).toMatchObject({ task_id: idOf(0), status: 'failed' });
  });

  it('takes several ids, and the words of one task for one', async () => {
    tasksAre((index) => (index === 0 ? 'completed' : 'cancelled'));
    expect(await cloudai(['wait', idOf(0), idOf(1)])).toMatchObject({
      code: 1,
      out: expect.stringContaining('1 of 2 tasks completed, 1 was cancelled'),
    });
  });

  it('takes all own tasks with a tag, those that ended before too', async () => {
    api.on('GET /api/auth/me', () => ({ username: 'alice' }));
    api.on('GET /api/tasks', ({ query }) =>
      query.cursor
        ? { tasks: [makeTaskBody({ task_id: idOf(2), status: 'running' })], next_cursor: null }
        : {
            tasks: [
              makeTaskBody({ task_id: idOf(0), status: 'failed', message: 'before' }),
              makeTaskBody({ task_id: idOf(1), status: 'completed' }),
            ],
            next_cursor: idOf(1),
          },
    );
    tasksAre(() => 'completed');
    const { code, out } = await cloudai(['wait', '--tag', 't']);
    expect({ code, text: out.split('\n')[0] }).toEqual({
      code: 1,
      text: '2 of 3 tasks completed, 1 failed.',
    });
    expect(asked('/api/tasks').map(({ query }) => query)).toEqual([
      { tag: 't', user: 'alice', limit: '1000' },
      { tag: 't', user: 'alice', limit: '1000', cursor: idOf(1) },
    ]);
    expect(asked('/api/tasks/states').map(({ body }) => body)).toEqual([{ task_ids: [idOf(2)] }]);
    await cloudai(['wait', '--tag', 't', '--user', 'bob']);
    expect(asked('/api/tasks').at(-2)?.query.user).toBe('bob');
    api.on('GET /api/tasks', () => ({ tasks: [], next_cursor: null }));
    expect(await cloudai(['wait', '--tag', 't'])).toMatchObject({
      code: 1,
      err: expect.stringContaining('alice has no task with the tag "t"'),
    });
  });

  it('ends with the first that fails, and cancels the rest if asked', async () => {
    tasksAre((index) => (index === 1 ? 'failed' : 'running'), { message: 'went wrong' });
    api.on('POST /api/tasks/cancel', ({ body }) => {
      const { task_ids } = body as CancelManyBody;
      const tasks = task_ids.map((task_id) => makeTaskBody({ task_id, status: 'cancelled' }));
      return new Status(202, { tasks, unknown: [] });
    });
    const left = await cloudai(['wait', '-', '--fail-fast'], { input: inputOf(5) });
    expect(left.code).toBe(1);
    expect(left.out).toContain('0 of 5 tasks completed, 1 failed, 4 have not ended.');
    expect(left.err).toContain('4 tasks have not ended; they go on.');
    expect(api.asked.some(({ path }) => path.endsWith('/cancel'))).toBe(false);
    const { code, err } = await cloudai(['wait', '-', '--fail-fast', '--cancel-rest'], { input: inputOf(5) });
    expect(code).toBe(1);
    expect(err).toContain('The rest was cancelled: 4 tasks.');
    const cancelled = api.asked.filter(({ path }) => path.endsWith('/cancel')).map(({ body }) => body);
    expect(cancelled).toEqual([{ task_ids: [0, 2, 3, 4].map(idOf), force: false }]);
  });

  it('gives up after the time given with 1; the tasks go on', async () => {
    tasksAre(() => 'running');
    const { code, out, err } = await cloudai(['wait', idOf(0), '--timeout', '1']);
    expect(code).toBe(1);
    expect(out).toContain('0 of 1 tasks completed, 1 has not ended.');
    expect(err).toContain(`Gave up after 1 s: 1 task has not ended; it goes on.`);
    expect(err).toContain(`Come back with: cloudai wait ${idOf(0)}`);
    tasksAre(() => 'completed');
    expect((await cloudai(['wait', idOf(0), '--timeout', '9999999'])).code).toBe(0);
    tasksAre(() => 'running');
    const json = await cloudai(['wait', '-', '--timeout', '1', '--json'], { input: inputOf(2) });
    expect(JSON.parse(json.out)).toMatchObject({ left: 2, timed_out: true });
  });

  it('is left by Ctrl-C with 130, and says how to come back', async () => {
    const controller = new AbortController();
    tasksAre(() => {
      controller.abort();
      return 'running';
    });
    api.on('GET /api/auth/me', () => ({ username: 'alice' }));
    api.on('GET /api/tasks', () => ({ tasks: [makeTaskBody({ task_id: idOf(0) })], next_cursor: null }));
    expect(await cloudai(['wait', '--tag', 't'], { signal: controller.signal })).toEqual({
      code: 130,
      out: '',
      err: '1 task has not ended; it goes on. Come back with: cloudai wait --tag t\n',
    });
  });

  it('outlasts an API that is away for a moment', async () => {
    const answer = { tasks: [makeTaskBody({ task_id: idOf(0), status: 'completed' })], unknown: [] };
    api.on('POST /api/tasks/states', (_asked, reply) => {
      calls += 1;
      if (calls > 2) return answer;
      if (calls === 2) return refusal(503, 'store_unavailable', 'away');
      reply.socket?.destroy();
      return undefined;
    });
    expect((await cloudai(['wait', idOf(0), '--timeout', '60'])).code).toBe(0);
    expect(calls).toBe(3);
  });

  it('refuses tasks that are not there, and what makes no sense', async () => {
    api.on('POST /api/tasks/states', () => ({ tasks: [], unknown: [idOf(0), idOf(1)] }));
    expect(await cloudai(['wait', idOf(0), idOf(1)])).toMatchObject({
      code: 1,
      err: expect.stringContaining(`you have no task ${idOf(0)} (and 1 more)`),
    });
    const refused = async (argv: string[], input = '') => {
      const { code, err } = await cloudai(['wait', ...argv], { input });
      expect(code).toBe(2);
      return err;
    };
    expect(await refused([])).toContain('there is no task to wait for');
    expect(await refused(['-'], '\n')).toContain('no task id on standard input');
    expect(await refused(['-'], `${idOf(0)}\nabc`)).toContain('line 2 of standard input is no task id: abc');
    expect(await refused(['-', idOf(0)])).toContain('- stands alone');
    expect(await refused([idOf(0), '--tag', 't'])).toContain('Use one of the two');
    expect(await refused([idOf(0), '--user', 'u', '--timeout', '1'])).toContain('--user goes with --tag');
    expect(await refused(['-', '--cancel-rest'], idOf(0))).toContain('--cancel-rest goes with --fail-fast');
  });
});
