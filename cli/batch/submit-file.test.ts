// biome-ignore-all lint/suspicious/noTemplateCurlyInString: placeholders of a matrix look like it.
import { writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { SubmitRequest } from '../../shared/contracts/http.ts';
import { type CliStage, openCliStage } from '../../test/support/cli-stage.ts';
import { type Asked, makeTaskBody, refusal, Status } from '../../test/support/small-api.ts';

const sweep = resolve(import.meta.dirname, '../../docs/examples/sweep.yaml');
/** 2,500 tasks in three chunks. */
const MANY = 'docker_image: a\nname: n${matrix.x}-${matrix.y}\ntag: many\nmatrix:\n';
const many = `${MANY}  x: [${numbers(50)}]\n  y: [${numbers(50)}]\n`;

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
  api.on('POST /api/tasks/batch', accept);
});
afterEach(() => stage.close());

function numbers(count: number): string {
  return Array.from({ length: count }, (_, index) => index).join(', ');
}

/** Ids grow with the name's place, so that tests can tell which task is which. */
function accept({ body }: Asked): Status {
  const { tasks } = body as { tasks: SubmitRequest[] };
  return new Status(201, {
    tasks: tasks.map((task, index) => makeTaskBody({ ...task, task_id: idOf(task.name ?? '', index) })),
  });
}

function idOf(name: string, index: number): string {
  const digits = name.replaceAll(/[^0-9]/g, '') + index;
  return `task-01${digits.padStart(24, '0').slice(-24)}`;
}

const batches = () => api.asked.filter(({ path }) => path === '/api/tasks/batch');
const keys = () => batches().map(({ headers }) => headers['idempotency-key']);

describe('submit', () => {
  it('submits the example as it is documented', async () => {
    const { code, out, err } = await cloudai(['submit', '-f', sweep]);
    expect({ code, err }).toEqual({ code: 0, err: '' });
    expect(out).toMatch(/^TASK +NAME +MATRIX\ntask-\w+ +train-lr0.1-depth2 +lr=0.1 depth=2\n/);
    expect(out.trim().split('\n')).toHaveLength(8);
    const [sent] = batches().map(({ body }) => body as { tasks: SubmitRequest[] });
    expect(sent?.tasks[5]).toEqual({
      docker_image: 'cloudai/busybox:local',
      tag: 'sweep-example',
      cpu_required: 0.25,
      memory_required: 32,
      max_retries: 1,
      name: 'train-lr0.001-depth16',
      command: 'echo "lr 0.001, depth $MATRIX_DEPTH" > /output/result.txt',
      timeout_seconds: 600,
      env: { EPOCHS: '10', MATRIX_LR: '0.001', MATRIX_DEPTH: '16' },
    });
  });

  it('reads standard input, prints ids for --quiet and records for --json', async () => {
    const input = JSON.stringify([
      { docker_image: 'a', name: 'n1' },
      { docker_image: 'b', name: 'n2' },
    ]);
    const quiet = await cloudai(['submit', '-f', '-', '--quiet'], { input });
    expect(quiet.out).toBe(`${idOf('n1', 0)}\n${idOf('n2', 1)}\n`);
    const { out } = await cloudai(['submit', '-f', '-', '--json'], { input });
    const tasks = [
      makeTaskBody({ docker_image: 'a', name: 'n1', task_id: idOf('n1', 0) }),
      makeTaskBody({ docker_image: 'b', name: 'n2', task_id: idOf('n2', 1) }),
    ];
    expect(out).toBe(`${JSON.stringify({ tasks }, null, 2)}\n`);
  });

  it('goes in chunks of 1,000 whose keys follow from one, and says how to find what it submitted', async () => {
    const argv = ['submit', '-f', '-', '--idempotency-key', 'k-1'];
    const { code, out, err } = await cloudai(argv, { input: many, progress: true });
    expect(code).toBe(0);
    expect(batches().map(({ body }) => (body as { tasks: [] }).tasks.length)).toEqual([1_000, 1_000, 500]);
    expect(keys()).toEqual(['k-1.0', 'k-1.1', 'k-1.2']);
    expect(out).toContain('2500 tasks were submitted');
    expect(out).toContain('cloudai list-tasks --tag many --all');
    expect(out).toContain('cloudai wait --tag many');
    expect(err).toContain('2000 of 2500 submitted');
    expect(err.split('\r').at(-1)).toBe('');
  });

  it('has a key of its own for each run when none is given', async () => {
    await cloudai(['submit', '-f', sweep]);
    await cloudai(['submit', '-f', sweep]);
    expect(new Set(keys()).size).toBe(2);
    expect(keys()[0]).toMatch(/^[0-9a-f-]{36}\.0$/);
  });

  it('sends a chunk again with the same key when its answer was lost', async () => {
    let lost = 0;
    api.on('POST /api/tasks/batch', (asked, reply) => {
      if (batches().length !== 2) return accept(asked);
      lost += 1;
      reply.socket?.destroy();
      return undefined;
    });
    const { code, err } = await cloudai(['submit', '-f', '-'], { input: many });
    expect({ code, lost }).toEqual({ code: 0, lost: 1 });
    expect(err).toContain('trying again');
    const [first, second, again, third] = keys();
    expect(again).toBe(second);
    expect(new Set([first, second, third]).size).toBe(3);
    expect(batches()[2]?.body).toEqual(batches()[1]?.body);
  });

  it('says what was accepted and how to go on when a later chunk is refused', async () => {
    const details = [
      { field: 'tasks.7.docker_image', message: '"tasks.7.docker_image" is not allowed here' },
    ];
    api.on('POST /api/tasks/batch', (asked) =>
      batches().length === 1 ? accept(asked) : refusal(400, 'invalid_request', 'refused', details),
    );
    const file = join(stage.home, 'a sweep.yaml');
    await writeFile(file, many);
    const argv = ['submit', '-f', file, '--idempotency-key', 'k-2'];
    const { code, out, err } = await cloudai([...argv, '--json']);
    expect(code).toBe(2);
    expect(JSON.parse(out).tasks).toHaveLength(1_000);
    const told = JSON.parse(err).error;
    expect(told.code).toBe('invalid_request');
    expect(told.message).toContain('1000 of 2500 tasks were accepted');
    expect(told.advice).toContain(`cloudai submit -f '${file}' --idempotency-key k-2`);
    expect(told.details).toEqual([
      {
        field: 'tasks.7.docker_image',
        message: `${file}:1:15: "docker_image" is not allowed here (with x=20 y=7)`,
      },
    ]);
    api.asked.length = 0;
    expect((await cloudai(argv)).err).toContain(`${file}:1:15`);
    api.on('POST /api/tasks/batch', () => refusal(409, 'idempotency_mismatch', 'used before'));
    expect(await cloudai([...argv, '--json'])).toMatchObject({
      code: 1,
      out: '',
      err: expect.stringContaining('another key'),
    });
  });

  it('gives up on an API that stays away with 3, and says how to go on', async () => {
    const { code, err } = await cloudai(['submit', '-f', '-', '--idempotency-key', 'k'], {
      input: many,
      env: { CLOUDAI_URL: 'http://127.0.0.1:1' },
    });
    expect(code).toBe(3);
    expect(err).toContain('no task was accepted');
    expect(err).toContain('Go on with: cloudai submit -f - --idempotency-key k');
  });

  it('is left by Ctrl-C with 130, and says how to go on', async () => {
    const controller = new AbortController();
    api.on('POST /api/tasks/batch', (asked) => {
      if (batches().length === 1) return accept(asked);
      controller.abort();
      return undefined;
    });
    const argv = ['submit', '-f', '-', '--idempotency-key', 'k-3'];
    const { code, err } = await cloudai(argv, { input: many, signal: controller.signal });
    expect(code).toBe(130);
    expect(err).toContain('1000 of 2500 tasks were accepted');
    expect(err).toContain('cloudai submit -f - --idempotency-key k-3');
  });

  it('prints what it would submit, without a call', async () => {
    const { code, out, err } = await cloudai(['submit', '-f', sweep, '--dry-run']);
    expect(code).toBe(0);
    expect(out).toMatch(/^NAME +IMAGE +NEEDS +MATRIX +COMMAND\n/);
    expect(out).toContain(`echo 'a list is a program and its arguments'`);
    expect(err).toContain('7 tasks, none submitted');
    const json = await cloudai(['submit', '-f', '-', '--dry-run', '--json'], { input: many });
    expect(JSON.parse(json.out).tasks).toHaveLength(2_500);
    expect(JSON.parse(json.out).tasks[2_499]).toEqual({
      docker_image: 'a',
      name: 'n49-49',
      tag: 'many',
      env: { MATRIX_X: '49', MATRIX_Y: '49' },
    });
    const cut = await cloudai(['submit', '-f', '-', '--dry-run'], { input: many });
    expect(cut.out.trim().split('\n')).toHaveLength(51);
    expect(cut.err).toContain('and 2450 more');
    expect(api.asked).toEqual([]);
  });

  it('refuses a file with all its faults, and what cannot be read', async () => {
    const file = join(stage.home, 'bad.yaml');
    await writeFile(file, '- docker_image: a\n  mem: 4\n- docker_image: A\n');
    const { code, out, err } = await cloudai(['submit', '-f', file]);
    expect({ code, out }).toEqual({ code: 2, out: '' });
    expect(err.split('\n')).toEqual([
      `cloudai: ${file} has 2 faults, so nothing was submitted`,
      `  ${file}:2:3: tasks[0]: "mem" is not a known field; did you mean memory_required, in MB?`,
      expect.stringContaining(`  ${file}:3:17: tasks[1]: "docker_image" must be an image reference`),
      expect.stringContaining('Many tasks at once'),
      '',
    ]);
    const refused = async (argv: string[], input = '') => {
      const { code, err } = await cloudai(['submit', ...argv], { input });
      expect(code).toBe(2);
      return err;
    };
    expect(await refused(['-f', join(stage.home, 'none.yaml')])).toContain('there is no such file');
    expect(await refused(['-f', stage.home])).toContain('it is a folder');
    await writeFile(file, Buffer.from([0xff, 0xfe, 0x00]));
    expect(await refused(['-f', file])).toContain('not text');
    await writeFile(file, 'a'.repeat(8 * 1_048_576 + 1));
    expect(await refused(['-f', file])).toContain('larger than 8 MB');
    expect(await refused(['-f', '-'], 'a'.repeat(8 * 1_048_576 + 1))).toContain('larger than 8 MB');
    expect(await refused(['-f', '-', '--max', '2499'], many)).toContain('more than 2499 tasks');
    expect(await refused([])).toContain('--file');
    expect(await refused(['-f', sweep, '--timeout', '5'])).toContain('for --wait');
    expect(await refused(['-f', sweep, '--wait', '--cancel-rest'])).toContain('--fail-fast');
    expect(await refused(['-f', sweep, '--wait', '--dry-run'])).toContain('dry run');
    expect(await refused(['-f', sweep, '--idempotency-key', 'a b'])).toContain('no idempotency key');
    expect(api.asked).toEqual([]);
  });

  it('waits for what it submitted', async () => {
    api.on('POST /api/tasks/states', ({ body }) => ({
      tasks: (body as { task_ids: string[] }).task_ids.map((task_id, index) => ({
        ...makeTaskBody({ task_id, status: index === 3 ? 'failed' : 'completed', message: 'went wrong' }),
      })),
      unknown: [],
    }));
    const { code, out } = await cloudai(['submit', '-f', sweep, '--wait']);
    expect(code).toBe(1);
    expect(out).toContain('6 of 7 tasks completed, 1 failed.');
    expect(out).toContain('went wrong');
    const json = await cloudai(['submit', '-f', sweep, '--wait', '--json']);
    const told = JSON.parse(json.out);
    expect(told.tasks).toHaveLength(7);
    expect(told.wait).toMatchObject({ total: 7, completed: 6, failed: 1, left: 0 });
  });
});
