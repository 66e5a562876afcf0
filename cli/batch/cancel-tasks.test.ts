import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CancelManyBody } from '../../shared/contracts/task-lists.ts';
import { type CliStage, openCliStage } from '../../test/support/cli-stage.ts';
import { makeTaskBody, Status } from '../../test/support/small-api.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

const idOf = (index: number) => `task-01${String(index).padStart(24, '0')}`;

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
  api.on('GET /api/auth/me', () => ({ username: 'alice' }));
  api.on('GET /api/tasks', () => ({
    tasks: [
      makeTaskBody({ task_id: idOf(0) }),
      makeTaskBody({ task_id: idOf(1), status: 'running' }),
      makeTaskBody({ task_id: idOf(2), status: 'running' }),
    ],
    next_cursor: null,
  }));
  // 0 waits, 1 runs, 2 ends meanwhile.
  api.on('POST /api/tasks/cancel', ({ body }) => {
    const { task_ids } = body as CancelManyBody;
    const states = { [idOf(0)]: 'cancelled', [idOf(1)]: 'running', [idOf(2)]: 'completed' } as const;
    const tasks = task_ids.flatMap((task_id) => {
      const status = states[task_id];
      return status ? [makeTaskBody({ task_id, status, cancel_requested: status !== 'completed' })] : [];
    });
    return new Status(202, { tasks, unknown: task_ids.filter((id) => !states[id]) });
  });
});
afterEach(() => stage.close());

const cancelled = () => api.asked.filter(({ path }) => path.endsWith('/cancel'));

describe('cancel of many', () => {
  it('asks first, saying what it would stop, and takes only a yes', async () => {
    const no = await cloudai(['cancel', '--tag', 't'], { answers: [''] });
    expect(no).toMatchObject({ code: 1, err: expect.stringContaining('nothing was cancelled') });
    expect(cancelled()).toEqual([]);
    const yes = await cloudai(['cancel', '--tag', 't', '--force'], { answers: ['y'] });
    expect(yes).toMatchObject({ code: 0, out: '1 cancelled, 1 being stopped, 1 had ended before.\n' });
    expect(cancelled().map(({ body }) => body)).toEqual([{ task_ids: [0, 1, 2].map(idOf), force: true }]);
  });

  it('means own tasks that have not ended, unless told otherwise', async () => {
    await cloudai(['cancel', '--tag', 't', '--yes']);
    const lists = () => api.asked.filter(({ path }) => path === '/api/tasks').map(({ query }) => query);
    expect(lists().at(-1)).toMatchObject({ tag: 't', user: 'alice', status: 'queued,assigned,running' });
    await cloudai(['cancel', '--state', 'queued', '--user', 'bob', '--yes']);
    expect(lists().at(-1)).toMatchObject({ user: 'bob', status: 'queued' });
  });

  it('takes ids, also from standard input; one that had ended or is not there makes it 1', async () => {
    expect((await cloudai(['cancel', idOf(0), idOf(1)])).code).toBe(0);
    const told = await cloudai(['cancel', '-'], { input: [0, 1, 2, 3].map(idOf).join('\n') });
    expect(told.code).toBe(1);
    expect(told.out).toContain(
      '1 cancelled, 1 being stopped, 1 had ended before, 1 could not be cancelled.\n',
    );
    expect(told.out).toContain(`${idOf(3)}: you have no task ${idOf(3)}`);
    const json = await cloudai(['cancel', idOf(0), idOf(3), '--json']);
    expect(JSON.parse(json.out)).toEqual({
      requested: 2,
      cancelled: 1,
      stopping: 0,
      ended: 0,
      failed: [{ task_id: idOf(3), code: 'not_found', message: `you have no task ${idOf(3)}` }],
    });
    expect((await cloudai(['cancel', idOf(0), idOf(2), '--quiet'])).out).toBe(`${idOf(0)}\n`);
  });

  it('asks again when the API is away for a moment', async () => {
    let calls = 0;
    api.on('POST /api/tasks/cancel', (_asked, reply) => {
      calls += 1;
      if (calls > 1) return new Status(202, { tasks: [], unknown: [] });
      reply.socket?.destroy();
      return undefined;
    });
    expect((await cloudai(['cancel', '--tag', 't', '--yes'])).code).toBe(0);
    expect(calls).toBe(2);
  });

  it('takes hundreds a call, and says of one that gives way to nobody that it was not stopped', async () => {
    const ids = Array.from({ length: 1_100 }, (_, n) => idOf(n));
    api.on('POST /api/tasks/cancel', ({ body }) => {
      const tasks = (body as CancelManyBody).task_ids.map((task_id) =>
        makeTaskBody({ task_id, status: 'running', cancel_requested: task_id !== idOf(7) }),
      );
      return new Status(202, { tasks, unknown: [] });
    });
    const told = await cloudai(['cancel', '-'], { input: ids.join('\n') });
    expect(told.out).toContain('1099 being stopped, 1 could not be cancelled.');
    expect(told.out).toContain(`${idOf(7)}: it changes too fast`);
    expect(cancelled()).toHaveLength(3);
  });

  it('is refused without anybody to ask, and for what makes no sense', async () => {
    const refused = async (argv: string[]) => {
      const { code, err } = await cloudai(['cancel', ...argv]);
      expect(code).toBe(2);
      return err;
    };
    expect(await refused(['--tag', 't'])).toContain('--yes');
    expect(await refused([])).toContain('there is no task to cancel');
    expect(await refused([idOf(0), '--tag', 't'])).toContain('Use one of the two');
    expect(await refused(['--state', 'completed', '--yes'])).toContain('have ended');
    expect(cancelled()).toEqual([]);
    api.on('GET /api/tasks', () => ({ tasks: [], next_cursor: null }));
    expect(await cloudai(['cancel', '--tag', 't', '--yes'])).toMatchObject({
      code: 0,
      out: 'There is nothing to cancel.\n',
    });
  });
});
