import { readFile, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Backlog } from '../scheduler/core/backlog.ts';
import { Recorder } from '../scheduler/core/decision-record.ts';
import { plan } from '../scheduler/core/plan.ts';
import { NO_MEMORY, type PlanMemory, type WorkerView } from '../scheduler/core/snapshot.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { refusal } from '../test/support/small-api.ts';
import { BARE, PLAIN_WAITING, PLAIN_WORKER } from '../test/support/waiting.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const NOW = Date.parse('2026-01-01T10:00:00.000Z');
const id = (n: number) => `task-01k2v8x4m6n8p0q2r4s6t8v${String(n).padStart(3, '0')}`;
const room = (cores: number) => ({ cpuMillis: cores * 1_000, memoryMb: 1_024, gpus: 0, storageMb: 0 });

/** Three passes on two workers: two tasks, then one more while a large one waits, then that one. */
function recorded(): string[] {
  const recorder = new Recorder({ term: 7, maxBytes: 1_000_000_000 });
  const backlog = new Backlog();
  const lines: string[] = [];
  let memory: PlanMemory = NO_MEMORY;
  const put = (n: number, cores: number) =>
    backlog.put({ ...PLAIN_WAITING, id: id(n), resources: room(cores), queuedAt: NOW }, NOW);
  const pass = (at: number, free: readonly [number, number]) => {
    const workers = free.map(
      (cores, n): WorkerView => ({
        ...PLAIN_WORKER,
        id: `worker-${n + 1}`,
        state: 'ready',
        capacity: { ...room(8), memoryMb: 8_192 },
        free: { ...room(cores), memoryMb: 8_192 },
      }),
    );
    const snapshot = { ...BARE, workers, groups: backlog.groups(), memory, limit: 100 };
    const seen = recorder.watch(snapshot);
    const made = plan(seen, NOW + at, 0);
    lines.push(...recorder.record(seen, NOW + at, 0, made).lines);
    memory = made.memory;
    for (const { taskId } of made.placements) backlog.take(taskId, NOW + at);
  };
  put(1, 1);
  put(2, 1);
  pass(0, [8, 8]);
  put(3, 1);
  put(4, 8);
  pass(1_000, [7, 7]);
  put(5, 2);
  pass(61_500, [8, 6]);
  return lines;
}

const LINES = recorded();

/** The API as it answers from a ring with these lines. */
function keeps(lines: readonly string[]): void {
  const body = lines.map((line, n) => `{"id":"${n + 1}","record":${line}}\n`).join('');
  api.on('GET /api/scheduler/decisions', ({ query }, reply) => {
    reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.end(query.after === undefined ? body : '');
  });
}

function tampered(): string[] {
  return LINES.map((line) => {
    const value = JSON.parse(line) as { kind: string; pass?: number; placed?: [number, number, number][] };
    if (value.pass !== 2) return line;
    const placed = value.placed?.map(([group, place, worker]) => [group, place, worker === 0 ? 1 : 0]);
    return JSON.stringify({ ...value, placed });
  });
}

describe('replay', () => {
  it('says that all is decided alike', async () => {
    keeps(LINES);
    expect(await cloudai(['replay'])).toEqual({
      code: 0,
      err: '',
      out: [
        '3 passes with 5 placements of 1 term, from 2026-01-01T10:00:00.000Z on, in 1m 1s.',
        'All 3 decided again: identical.',
        '',
      ].join('\n'),
    });
    const { out } = await cloudai(['replay', '--json', '--last', '2']);
    expect(JSON.parse(out)).toMatchObject({
      passes: 2,
      placements: 3,
      different: 0,
      first_difference: null,
      from: '2026-01-01T10:00:01.000Z',
      terms: [7],
      gaps: [],
    });
    expect((await cloudai(['replay', '--quiet'])).out).toBe('');
  });

  it('tells the first difference and fails', async () => {
    keeps(tampered());
    const { code, out } = await cloudai(['replay']);
    expect(code).toBe(1);
    expect(out).toContain(
      '1 of 3 decided otherwise. The first: pass 2 of term 7 (2026-01-01T10:00:01.000Z):\n',
    );
    expect(out).toMatch(
      /placement 1 of 1 was: task-\w+003 on worker-[12]; decided again it is: task-\w+003 on worker-[12]\n/,
    );
    const { first_difference } = JSON.parse((await cloudai(['replay', '--json'])).out);
    expect(first_difference).toMatchObject({ term: 7, pass: 2, at: '2026-01-01T10:00:01.000Z' });
    expect((await cloudai(['replay', '--last', '1'])).code).toBe(0);
  });

  it('saves what it reads, for its owner alone, and reads what was saved', async () => {
    keeps(LINES);
    const file = join(stage.home, 'decisions.ndjson');
    expect((await cloudai(['replay', '--save', file])).code).toBe(0);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    expect((await readFile(file, 'utf8')).split('\n').filter(Boolean)).toHaveLength(LINES.length);
    const asked = api.asked.length;
    const again = await cloudai(['replay', '--file', file]);
    expect(again).toMatchObject({ code: 0, out: expect.stringContaining('All 3 decided again: identical.') });
    expect(api.asked).toHaveLength(asked);
    // Bare records do, too.
    await writeFile(file, `${LINES.join('\n')}\n`);
    expect((await cloudai(['replay', '--file', file])).code).toBe(0);
  });

  it('tells of one task where it went, where else it fitted, and why it waited', async () => {
    keeps(LINES);
    const { code, out } = await cloudai(['replay', '--show', id(4)]);
    expect(code).toBe(0);
    expect(out).toContain(
      '2026-01-01T10:00:01.000Z  waited in pass 2 of term 7: no worker had room\n2026-01-01T10:01:01.500Z  placed on worker-1 in pass 3 of term 7, which had 8 cores, 8 GB free\n  It fitted nowhere else.\n',
    );
    const first = await cloudai(['replay', '--show', id(1)]);
    expect(first.out).toMatch(
      /placed on worker-1 in pass 1 .*\n {2}It would have fitted elsewhere, too:\n {4}worker-2: 8 cores, 8 GB free\n/,
    );
    const { moments } = JSON.parse((await cloudai(['replay', '--show', id(4), '--json'])).out);
    expect(moments).toMatchObject([
      { kind: 'waited', pass: 2, reason: 'no_room' },
      { kind: 'placed', pass: 3, worker: 'worker-1', fitted: [{ worker: 'worker-1' }] },
    ]);
    const unknown = await cloudai(['replay', '--show', id(99)]);
    expect(unknown.out).toContain(`Nothing that is kept tells of ${id(99)}`);
  });

  it('tells what is missing', async () => {
    expect((await cloudai(['replay'])).code).toBe(1);
    keeps([]);
    expect(await cloudai(['replay'])).toMatchObject({ code: 0, out: 'No decisions are kept.\n' });
    const note = '{"kind":"note","term":7,"at":1,"passes":12,"why":"Redis was \\u001b[31maway"}';
    keeps([note, ...LINES]);
    const { code, out } = await cloudai(['replay']);
    expect(code).toBe(0);
    expect(out).toMatch(/Left out: 12 passes, for Redis was .*away\n/);
    expect(out).not.toContain('\u001b');
    keeps(LINES.slice(1));
    expect(await cloudai(['replay'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('the records up to the next full picture need what was before line 1'),
    });
    keeps(LINES.map((line) => line.replace(/"rules_version":\d+/, '"rules_version":99')));
    expect(await cloudai(['replay'])).toMatchObject({
      code: 1,
      out: expect.stringContaining('3 passes decided by other rules of planning'),
    });
  });

  it('says what is wrong, and what to do', async () => {
    const file = join(stage.home, 'broken.ndjson');
    await writeFile(file, '{"half\n');
    const cases: readonly [string[], RegExp, number][] = [
      [['--file', '/nowhere/x'], /cannot be read: there is no such file/, 2],
      [['--file', stage.home], /cannot be read: it is a folder/, 2],
      [['--file', file], /cannot be read: a line of it is not JSON/, 2],
      [['--file', file, '--save', file], /is the file that is read/, 2],
      [['--file', file, '--show', '3e4f'], /not a whole task id/, 2],
      [['--last', '0'], /1 or more/, 2],
      [['--last', '5000'], /1000 at most/, 2],
    ];
    for (const [words, message, exit] of cases) {
      const { code, err } = await cloudai(['replay', ...words]);
      expect([err, code]).toEqual([expect.stringMatching(message), exit]);
    }
    api.on('GET /api/scheduler/decisions', () => refusal(403, 'forbidden', 'only admins may do this'));
    const kept = join(stage.home, 'kept.ndjson');
    await writeFile(kept, 'what was there');
    const refused = await cloudai(['replay', '--save', kept]);
    expect([refused.code, refused.err]).toEqual([4, expect.stringContaining('only admins')]);
    expect(await readFile(kept, 'utf8')).toBe('what was there');
  });
});
