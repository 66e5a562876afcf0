// The command line with ten thousand tasks on a real API and store: right, whole, and with few calls.

import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Task } from '../../shared/model/task.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import { type CliStage, openCliStage, type Told, type World } from '../support/cli-stage.ts';
import { makeTask } from '../support/tasks.ts';
import { openTestApi, type Person, type TestApi } from './harness.ts';

const MANY = 10_000;
const FILE = `
docker_image: a
name: n\${matrix.x}-\${matrix.y}
tag: file
matrix:
  x: [${Array.from({ length: 40 }, (_, index) => index)}]
  y: [${Array.from({ length: 30 }, (_, index) => index)}]
`;

let test: TestApi;
let stage: CliStage;
let alice: Person;
/** Calls the API has answered, without what they were about. */
let calls: string[] = [];
/** Ids of those that are queued, the oldest first. */
let waiting: string[] = [];

function cloudai(argv: string[], world: World = {}): Promise<Told> {
  const env = { CLOUDAI_URL: test.api.server.info.uri, CLOUDAI_TOKEN: alice.token };
  return stage.cloudai(argv, { ...world, env });
}

const ids = () => ({ id: newTaskId(), ownerId: alice.id, ownerName: alice.username });

async function inserted(make: (index: number) => Task): Promise<string[]> {
  const tasks = Array.from({ length: MANY }, (_, index) => make(index));
  for (let at = 0; at < MANY; at += 1_000) await test.store.tasks.insert(tasks.slice(at, at + 1_000));
  return tasks.map(({ id }) => id).sort();
}

const lines = ({ out }: Told) => out.trim().split('\n');

beforeAll(async () => {
  test = await openTestApi();
  stage = await openCliStage();
  await test.signUp('root');
  alice = await test.signUp('alice');
  await test.api.start();
  test.api.server.events.on('response', ({ method, path }) => calls.push(`${method} ${path}`));
  waiting = await inserted((index) => makeTask({ tag: 'sweep', name: `n${index}` }, ids()));
  await inserted((index) =>
    makeTask(
      { tag: 'ended', name: `e${index}` },
      { ...ids(), state: index % 1_000 === 7 ? 'failed' : 'completed', message: 'exited with code 3' },
    ),
  );
});
afterAll(async () => {
  await stage?.close();
  await test?.close();
});
beforeEach(() => {
  calls = [];
});

describe('with ten thousand tasks', () => {
  it('lists go through all of them page by page, and short ones take one call', async () => {
    const all = await cloudai(['list-tasks', '--tag', 'sweep', '--all', '--quiet']);
    expect(lines(all)).toEqual(waiting.toReversed());
    expect(calls).toHaveLength(10);
    const table = lines(await cloudai(['list-tasks', 'queued', '--all']));
    expect(table).toHaveLength(MANY + 1);
    expect(table.filter((line) => line.startsWith('TASK'))).toHaveLength(1);
    expect(new Set(table.map((line) => line.indexOf('cloudai/busybox'))).size).toBe(2);
    calls = [];
    expect(lines(await cloudai(['list-tasks']))).toHaveLength(51);
    expect((await cloudai(['list-tasks', 'running'])).out).toContain('No such tasks');
    expect(calls).toEqual(Array(2).fill('get /api/tasks'));
  });

  it('the queue shows those whose turn is next, which are the oldest', async () => {
    expect(lines(await cloudai(['queue', '--quiet', '--limit', '5']))).toEqual(waiting.slice(0, 5));
  });

  it('waiting takes a call a thousand', async () => {
    const byTag = await cloudai(['wait', '--tag', 'ended']);
    expect(byTag.code).toBe(1);
    expect(byTag.out).toContain('9990 of 10000 tasks completed, 10 failed.');
    expect(calls.filter((call) => call === 'get /api/tasks')).toHaveLength(10);
    const ids = (await cloudai(['list-tasks', 'completed', '--all', '--quiet'])).out;
    calls = [];
    expect(await cloudai(['wait', '-'], { input: ids })).toMatchObject({
      code: 0,
      out: 'All 9990 tasks completed.\n',
    });
    expect(calls).toEqual(Array(10).fill('post /api/tasks/states'));
  });

  it('cancelling stops those of a list and no others', async () => {
    const some = waiting.slice(100, 200);
    const told = await cloudai(['cancel', '-'], { input: some.join('\n') });
    expect(told).toMatchObject({ code: 0, out: '100 cancelled.\n' });
    expect(calls).toEqual(['post /api/tasks/cancel']);
    const cancelled = await cloudai(['list-tasks', 'cancelled', '--all', '--quiet']);
    expect(lines(cancelled)).toEqual(some.toReversed());
  });

  it('a file is submitted a thousand a call, and a second time without making any task', async () => {
    const argv = ['submit', '-f', '-', '--quiet', '--idempotency-key', 'k'];
    const first = await cloudai(argv, { input: FILE });
    expect(first.code).toBe(0);
    expect(new Set(lines(first)).size).toBe(1_200);
    expect(calls).toEqual(Array(2).fill('post /api/tasks/batch'));
    expect(await cloudai(argv, { input: FILE })).toEqual(first);
    expect(lines(await cloudai(['list-tasks', '--tag', 'file', '--all', '--quiet']))).toHaveLength(1_200);
    const other = await cloudai(argv, { input: FILE.replace('docker_image: a', 'docker_image: b') });
    expect(other).toMatchObject({ code: 1, out: '', err: expect.stringContaining('another file') });
  });
});
