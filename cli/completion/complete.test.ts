import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import {
  makeTaskBody,
  makeWorkerBody,
  refusal,
  type SmallApi,
  startSmallApi,
  TASK_ID,
} from '../../test/support/small-api.ts';
import { describeProgram } from '../program.ts';
import { placeOf } from './complete.ts';
import { completeLine } from './line.ts';
import { completionScript, SHELLS, type Shell, shellLines } from './shells.ts';
import { CompletionSources } from './sources.ts';

const program = describeProgram('1.2.3');
const at = (...words: string[]) => placeOf(program, { before: words.slice(0, -1), word: words.at(-1) ?? '' });
const values = (...words: string[]) => at(...words).candidates.map(({ value }) => value);

describe('a place', () => {
  it('is for a command, or one below it', () => {
    expect(values('')).toEqual(expect.arrayContaining(['task', 'list-tasks', 'webhooks', 'completion']));
    expect(values('')).not.toContain('complete');
    expect(values('work')).toEqual(['workers']);
    expect(values('--url', 'http://x', 'work')).toEqual(['workers']);
    expect(values('webhooks', 'de')).toEqual(['delete', 'deliveries']);
    expect(values('help', 'webhooks', 'de')).toEqual(['delete', 'deliveries']);
    expect(at('work').candidates).toEqual([
      { value: 'workers', what: expect.stringContaining('machines'), done: true },
    ]);
  });

  it('is for an option, with the dashes and signs it was begun with', () => {
    expect(values('task', 'a', '--cpu')).toEqual(['--cpu_cores']);
    expect(values('task', 'a', '-na')).toEqual(['-name']);
    expect(values('task', 'a', '--cpu-')).toEqual(['--cpu-cores']);
    expect(values('login', '--password_')).toEqual(['--password_stdin']);
    expect(values('workers', '--')).toEqual(['--url', '--token', '--json', '--quiet', '--help']);
    expect(values('task', 'a', '-wait', '--wa')).toEqual([]);
    expect(values('task', 'a', '-file', 'x', '--fi')).toEqual(['--file']);
  });

  it('is for the value of an option', () => {
    expect(values('task', 'a', '--network', '')).toEqual(['bridge', 'none']);
    expect(values('task', 'a', '-pull=al')).toEqual(['-pull=always']);
    expect(at('webhooks', 'deliveries', '--task', 'ta')).toMatchObject({ wanted: 'task', part: 'ta' });
    expect(at('history', 'cpu', '--worker=wo')).toMatchObject({
      wanted: 'worker',
      part: 'wo',
      lead: '--worker=',
    });
    expect(at('task', 'a', '-name', '')).toMatchObject({ candidates: [] });
  });

  it('is for an argument, counted without options and their values', () => {
    expect(at('explain', '')).toMatchObject({ wanted: 'task' });
    expect(at('explain', '--json', '')).toMatchObject({ wanted: 'task' });
    expect(at('explain', 'task-1', '')).toMatchObject({ wanted: null });
    expect(at('wait', 'task-1', 'task-2', '')).toMatchObject({ wanted: 'tasks' });
    expect(at('dispatch', '-env', 'A=1', 'B=2', 'worker-1', '')).toMatchObject({ wanted: 'image' });
    expect(at('describe', 'x')).toMatchObject({ wanted: 'task' });
    expect(at('completion', 'b')).toMatchObject({ candidates: [{ value: 'bash' }] });
  });

  it('is nobody’s business behind "--"', () => {
    expect(at('task', 'a', '--', 'task', '--na')).toMatchObject({ candidates: [], wanted: null });
  });

  it('knows where the line looks', () => {
    expect(at('--url', 'http://x', '-token=y', 'cancel', '').settings).toEqual({
      url: 'http://x',
      token: 'y',
    });
  });
});

describe('what is looked up', () => {
  let api: SmallApi;
  let folder: string;
  let now: number;
  let sources: CompletionSources;
  beforeEach(async () => {
    api = await startSmallApi();
    folder = await mkdtemp(join(tmpdir(), 'cloudai-complete-'));
    now = Date.parse('2026-01-01T10:01:00.000Z');
    sources = new CompletionSources({
      client: async ({ url = api.url }) => createClient({ url }),
      home: folder,
      now: () => now,
    });
    api.on('GET /api/tasks', () => ({
      tasks: [
        makeTaskBody({ name: 'first' }),
        makeTaskBody({ task_id: 'task-2', docker_image: 'alpine', user: 'bob' }),
        makeTaskBody({ task_id: 'task-3', docker_image: 'alpine', user: 'bob\x1b[2J' }),
      ],
      next_cursor: null,
    }));
    api.on('GET /workers', () => ({ workers: [makeWorkerBody(), makeWorkerBody({ worker_id: 'gpu-1' })] }));
  });
  afterEach(async () => {
    await api.close();
    await rm(folder, { recursive: true });
  });
  const completions = async (line: string) =>
    (await completeLine(program, sources, line)).candidates.map(({ value }) => value);

  it('are labels of workers, and further values of one', async () => {
    const worker = (worker_id: string, labels: Record<string, string>) =>
      makeWorkerBody({ worker_id, labels });
    api.on('GET /workers', () => ({
      workers: [
        worker('a', { disk: 'ssd', zone: 'a' }),
        worker('b', { disk: 'nvme' }),
        worker('c', { disk: 'nvme', zone: 'b' }),
      ],
    }));
    const { candidates } = await completeLine(program, sources, 'task a -constraint ');
    expect(candidates).toEqual([
      { value: 'disk=nvme', what: '2 workers', done: true },
      { value: 'disk=ssd', what: '1 worker', done: true },
      { value: 'zone=a', what: '1 worker', done: true },
      { value: 'zone=b', what: '1 worker', done: true },
    ]);
    expect(await completions('task a -prefer zone=')).toEqual(['zone=a', 'zone=b']);
    expect(await completions('task a -constraint disk=ssd,')).toEqual(['disk=ssd,nvme']);
    expect(await completions('task a -constraint=disk=s')).toEqual(['-constraint=disk=ssd']);
    expect(values('task', 'a', '-constraint', 'disk=ssd', '-cons')).toEqual(['-constraint']);
  });

  it('are all accounts for those who may list them', async () => {
    const [alice, carol] = [
      { username: 'alice', role: 'admin', disabled: false },
      { username: 'carol', role: 'user', disabled: true },
    ];
    api.on('GET /api/users', () => ({ users: [alice, carol], next_cursor: null }));
    expect((await completeLine(program, sources, 'user ')).candidates).toEqual([
      { value: 'alice', what: 'admin', done: true },
      { value: 'carol', what: 'user, disabled', done: true },
    ]);
    expect(await completions('files c')).toEqual(['carol']);
  });

  it('are ids and names of the cluster, each by the name of its argument', async () => {
    expect(await completions('cloudai cancel ')).toEqual([TASK_ID, 'task-2', 'task-3']);
    expect(await completions('cloudai cancel 2')).toEqual(['task-2']);
    expect((await completeLine(program, sources, 'get task-01')).candidates).toEqual([
      { value: TASK_ID, what: 'queued, first, python:3.9, 1m ago', done: true },
    ]);
    expect(await completions('A=b ./bin/cloudai drain g')).toEqual(['gpu-1']);
    // Who may not list accounts knows of those whose tasks are seen.
    expect(await completions('set-user ')).toEqual(['alice', 'bob']);
    expect(await completions('task ')).toEqual(['alpine', 'python:3.9']);
    api.on('GET /api/images', () => ({
      images: [
        { image: 'alpine:latest', size_bytes: 1, workers: ['w1', 'w2'], worker_count: 2 },
        { image: 'python:3.9', size_bytes: null, workers: ['w1'], worker_count: 1 },
      ],
    }));
    sources.forget();
    expect((await completeLine(program, sources, 'task ')).candidates).toEqual([
      { value: 'alpine', what: '2 tasks, on 2 workers', done: true },
      { value: 'python:3.9', what: '1 task, on 1 worker', done: true },
      { value: 'alpine:latest', what: 'on 2 workers', done: true },
    ]);
    // One that would steer the terminal is left out.
    expect(await completions('files ')).toEqual(['alice', 'bob']);
    expect(await completions('list-tasks q')).toEqual(['queued']);
    expect(await completions('list-tasks queued,r')).toEqual(['queued,running']);
    expect(await completions('history --worker=wo')).toEqual(['--worker=worker-1']);
    expect(await completions('history cpu_p')).toEqual(['cpu_percent']);
    expect(await completions('workers # ')).toEqual([]);
  });

  it('are asked for once in a few seconds, until a command has run', async () => {
    await completions('cancel ');
    await completions('cancel task-2');
    expect(api.asked).toHaveLength(1);
    now += 6_000;
    await completions('cancel ');
    sources.forget();
    await completions('cancel ');
    expect(api.asked).toHaveLength(3);
  });

  it('are nothing when they cannot be had, or not in time', async () => {
    api.on('GET /workers', () => refusal(503, 'store_unavailable', 'away'));
    expect(await completions('drain ')).toEqual([]);
    api.on('GET /api/webhooks', () => undefined);
    expect(await completions('webhooks delete ')).toEqual([]);
    expect(await completions('cancel --url http://127.0.0.1:9 ')).toEqual([]);
    expect(await completions('upload /no/such/folder/')).toEqual([]);
  });

  it('are files and folders of this machine', async () => {
    await mkdir(join(folder, 'data'));
    await symlink(join(folder, 'data'), join(folder, 'link'));
    for (const name of ['my file.txt', 'map.json', '.hidden', 'a\nb'])
      await writeFile(join(folder, name), '');
    expect(await completions(`upload ${folder}/`)).toEqual([
      `${folder}/data/`,
      `${folder}/link/`,
      `${folder}/map.json`,
      `${folder}/my file.txt`,
    ]);
    expect(await completions(`upload '${folder}/my f`)).toEqual([`${folder}/my file.txt`]);
    expect(await completions(`upload ${folder}/.`)).toEqual([`${folder}/.hidden`]);
    expect(await completions(`download task-1 alice ${folder}/`)).toEqual([
      `${folder}/data/`,
      `${folder}/link/`,
    ]);
    expect(await completions('upload ~/ma')).toEqual(['~/map.json']);
  });
});

describe('a shell', () => {
  const found = [
    { value: 'python:3.9', what: '2 tasks', done: true },
    { value: 'my dir/', what: '', done: false },
  ];
  const lines = (shell: Shell, raw: string) =>
    shellLines(shell, found, { raw, breaks: ' \t\n"\'><=;|&(:' }).split('\n');

  it('gets words in the form that its script reads', () => {
    expect(lines('bash', '')).toEqual(['python:3.9 ', "'my dir/'", '']);
    expect(lines('zsh', '')).toEqual(['python:3.9\t2 tasks', 'my dir/', '']);
    expect(lines('fish', '')).toEqual(['python:3.9\t2 tasks', 'my dir/\t', '']);
  });

  it('that is bash gets what follows its last word break, and whole words within quotes', () => {
    expect(lines('bash', 'python:3')[0]).toBe('3.9 ');
    expect(lines('bash', '"my d')[1]).toBe('my dir/');
    expect(shellLines('bash', found, { raw: 'python:3', breaks: ' ' })).toContain('python:3.9 \n');
  });

  it('has a script that asks for it', () => {
    for (const shell of SHELLS) expect(completionScript(shell)).toContain(`complete ${shell} `);
  });
});
