import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { WhatIfReply, WhatIfWorkerBody } from '../shared/contracts/what-if.ts';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import { refusal } from '../test/support/small-api.ts';
import { bar } from './simulation/answer-view.ts';
import { askedTasks } from './simulation/question.ts';

let stage: CliStage;
let api: CliStage['api'];
let cloudai: CliStage['cloudai'];

beforeEach(async () => {
  stage = await openCliStage();
  ({ api, cloudai } = stage);
});
afterEach(() => stage.close());

const amounts = (cpu: number, memory = 0, gpu = 0) => ({ cpu, memory, gpu, storage: 0 });
const worker = (over: Partial<WhatIfWorkerBody>): WhatIfWorkerBody => ({
  worker_id: 'worker-1',
  added: false,
  state: 'ready',
  capacity: amounts(8, 16_384),
  before: { reserved: amounts(2, 4_096), free: amounts(6, 12_288) },
  after: { reserved: amounts(2, 4_096), free: amounts(6, 12_288) },
  placed: 0,
  placed_ahead: 0,
  ...over,
});
const some: WhatIfReply = {
  placed: 3,
  waiting: 4,
  never: 0,
  behind: 2,
  more: false,
  tasks: [
    {
      index: 0,
      count: 7,
      placed: 3,
      waiting: 4,
      verdict: 'waits',
      reason: 'no_room',
      summary: '3 of 7 would be placed now. The next one waits: needs 2 cores.',
      workers: [
        { worker_id: 'worker-1', count: 2 },
        { worker_id: 'added-1', count: 1 },
      ],
    },
  ],
  workers: [
    worker({
      placed: 2,
      placed_ahead: 1,
      after: { reserved: amounts(7, 9_216), free: amounts(1, 7_168) },
    }),
    worker({ worker_id: 'worker-2', state: 'cordoned' }),
    worker({
      worker_id: 'added-1',
      added: true,
      placed: 1,
      before: { reserved: amounts(0), free: amounts(8, 16_384) },
      after: { reserved: amounts(2, 2_048), free: amounts(6, 14_336) },
    }),
  ],
};
const all: WhatIfReply = {
  ...some,
  placed: 7,
  waiting: 0,
  behind: 0,
  tasks: [{ ...some.tasks[0]!, placed: 7, waiting: 0, verdict: 'now', reason: null, summary: 'All 7.' }],
};
const answer = (reply: unknown) => api.on('POST /api/whatif', () => reply);
const asked = () => api.asked.at(-1)?.body;

describe('simulate', () => {
  it('asks with the options of a task, and keeps command, environment and secrets to itself', async () => {
    answer(all);
    const line =
      'simulate python:3.9 -cpu_cores 2.0 -mem 4 -gpu_cores 1 -priority 7 -secret KEY=hunter2 --count 7 --add-worker cpu=8,mem=32,gpu=1,count=3 --add-worker cores=1,mem=0.5 -without worker-2 --without worker-2 --cordon worker-3 -- python train.py';
    expect((await cloudai(line.split(' '))).code).toBe(0);
    expect(asked()).toEqual({
      tasks: [
        {
          docker_image: 'python:3.9',
          cpu_required: 2,
          memory_required: 4096,
          gpu_required: 1,
          priority: 7,
          count: 7,
        },
      ],
      add_workers: [
        { cpu: 8, memory: 32_768, gpu: 1, storage: 0, count: 3 },
        { cpu: 1, memory: 512, gpu: 0, storage: 0, count: 1 },
      ],
      without: ['worker-2'],
      cordon: ['worker-3'],
    });
  });

  it('shows tasks, why the rest waits, and workers before and after; exit 1 when some wait', async () => {
    answer(some);
    const { code, out, err } = await cloudai(
      'simulate python:3.9 -cpu_cores 2 --count 7 --add-worker cpu=8,mem=16'.split(' '),
    );
    expect([code, err]).toEqual([1, '']);
    expect(out).toBe(
      [
        '3 of 7 tasks would be placed now, 4 would wait. 2 that wait already go first and are counted in.',
        '',
        '#  IMAGE       NEEDS            COUNT  NOW  WHERE',
        '1  python:3.9  2 cores, 512 MB      7    3  worker-1 ×2, added-1',
        '',
        '3 of 7 would be placed now. The next one waits: needs 2 cores.',
        '',
        'WORKER    STATE     AHEAD  NEW  CORES                         MEMORY',
        'worker-1  ready        +1   +2  ████▒▒▒▒▒▒▒▒▒▒··  2 → 7 of 8  ████▒▒▒▒▒·······  4 GB → 9 GB of 16 GB',
        'worker-2  cordoned              ████············  2 of 8      ████············  4 GB of 16 GB',
        'added-1   ready             +1  ▒▒▒▒············  0 → 2 of 8  ▒▒··············  0 MB → 2 GB of 16 GB',
        '█ held now  ▒ would be added  · free',
        '',
      ].join('\n'),
    );
  });

  it('fits a narrow terminal', async () => {
    answer(some);
    const { out } = await cloudai(['simulate', 'python:3.9', '--count', '7'], { columns: 50 });
    for (const line of out.split('\n').slice(1)) {
      if (!line.startsWith('3 of 7')) expect(line.length).toBeLessThanOrEqual(50);
    }
    expect(out).toContain('worker-1');
  });

  it('keeps a title over the figures of each dimension when there is no room for its bar', async () => {
    const [first] = some.workers;
    const workers = [{ ...first!, capacity: amounts(8, 16_384, 2), after: first!.before }];
    answer({ ...some, workers });
    const shown = async (columns: number) => {
      const { out } = await cloudai(['simulate', 'python:3.9', '--count', '7'], { columns });
      return out.split('\n').filter((line) => /^(WORKER|worker-1)/.test(line));
    };
    const [heading = '', row = ''] = await shown(96);
    expect(heading).toMatch(/ CORES .+ MEMORY .+ GPUS$/);
    expect(row.slice(heading.indexOf('GPUS'))).toBe('0 of 2');
    expect(row).toMatch(/4 GB of 16 GB {2}0 of 2$/);
    const [narrow = '', figures = ''] = await shown(56);
    expect(figures).not.toContain('█');
    for (const [title, figure] of [
      ['CORES', '2 of 8'],
      ['MEMORY', '4 GB of 16 GB'],
      ['GPUS', '0 of 2'],
    ] as const) {
      expect(figures.slice(narrow.indexOf(title))).toMatch(new RegExp(`^${figure}( |$)`));
    }
  });

  it('is silent but for its exit code and workers with --quiet, and whole with --json', async () => {
    answer(all);
    expect(await cloudai(['simulate', 'a:b', '--quiet'])).toEqual({
      code: 0,
      out: 'worker-1\nadded-1\n',
      err: '',
    });
    expect(JSON.parse((await cloudai(['simulate', 'a:b', '--json'])).out)).toEqual(all);
    answer({ ...some, placed: 0, waiting: 0, never: 7 });
    const never = await cloudai(['simulate', 'a:b']);
    expect([never.code, never.out.split(/[.\n]/)[0]]).toEqual([
      1,
      '0 of 7 tasks would be placed now, 7 could never run here',
    ]);
  });

  it('asks about the tasks of a file, alike ones together, and names its faults', async () => {
    answer(all);
    const input = [
      'defaults: {docker_image: "python:3.9", cpu_required: 2, env: {KEY: hunter2}}',
      'tasks:',
      '  - matrix: {lr: [1, 2, 3]}',
      '  - cpu_required: 4',
    ].join('\n');
    expect((await cloudai('simulate -f - --count 2'.split(' '), { input })).code).toBe(0);
    expect(asked()).toEqual({
      tasks: [
        { docker_image: 'python:3.9', cpu_required: 2, count: 6 },
        { docker_image: 'python:3.9', cpu_required: 4, count: 2 },
      ],
    });
    const { code, err } = await cloudai('simulate -f -'.split(' '), { input: `${input}\n  - cpus: 1` });
    expect(code).toBe(2);
    expect(err).toContain('cpus');
    expect(api.asked).toHaveLength(1);
  });

  it('speaks of one task as of one', async () => {
    const one = { ...all, placed: 0, waiting: 1, behind: 1, more: true };
    answer(one);
    expect((await cloudai(['simulate', 'a:b'])).out.split('\n')[0]).toBe(
      'The task would wait. 1 that waits already goes first and is counted in. More wait than could be looked at: it may turn out worse.',
    );
    answer({ ...one, waiting: 0, never: 1, behind: 0, more: false });
    expect((await cloudai(['simulate', 'a:b'])).out.split('\n')[0]).toBe('The task could never run here.');
  });

  it('lets no text of the answer steer the terminal', async () => {
    answer({ ...some, tasks: [{ ...some.tasks[0]!, summary: 'a\x1b[2Jb' }] });
    expect((await cloudai(['simulate', 'a:b'])).out).not.toContain('\x1b');
  });

  it('says what is wrong with what was typed', async () => {
    for (const [line, fault] of [
      ['simulate a:b --add-worker cpu=8', 'at least cpu and mem'],
      ['simulate a:b --add-worker cpu=8,ram=4', '"ram" is no part of a worker'],
      ['simulate a:b --add-worker cpu=many,mem=4', 'cpu must be a number'],
      ['simulate a:b --add-worker cpu=1,cores=2,mem=4', 'cores is given twice'],
      ['simulate a:b --count 0', 'It must be 1 or more'],
      ['simulate a:b --wait', '--wait has no meaning here: nothing runs'],
      ['simulate', 'there is no task to ask about'],
      ['simulate -f no-such.yaml', 'there is no such file'],
      ['simulate a:b -f x.yaml', 'and yet a:b is given'],
      ['simulate -f x.yaml -cpu_cores 2', 'and yet --cpu_cores is given'],
      ['simulate -f x.yaml -- true', 'and yet a command is given'],
    ] as const) {
      const { code, err } = await cloudai(line.split(' '));
      expect([line, code]).toEqual([line, 2]);
      expect(err).toContain(fault);
    }
    expect(api.asked).toEqual([]);
    answer(refusal(400, 'invalid_request', '"without.0" is no worker of this cluster: worker-9'));
    const { code, err } = await cloudai('simulate a:b --without worker-9'.split(' '));
    expect([code, err.split('\n')[0]]).toEqual([
      2,
      'cloudai: "without.0" is no worker of this cluster: worker-9',
    ]);
  });

  it('ends on Ctrl-C', async () => {
    const interrupt = new AbortController();
    api.on('POST /api/whatif', () => {
      interrupt.abort();
      return undefined;
    });
    expect((await cloudai(['simulate', 'a:b'], { signal: interrupt.signal })).code).toBe(130);
  });
});

describe('a bar', () => {
  it('is as wide as it should be, and shows what is added', () => {
    const amount = fc.nat(1_000);
    fc.assert(
      fc.property(amount, amount, amount, fc.integer({ min: 1, max: 40 }), (held, more, capacity, width) => {
        const drawn = bar(held, held + more, capacity, width);
        expect(drawn).toMatch(capacity > 0 ? /^█*▒*·*$/ : /^$/);
        if (capacity === 0) return;
        expect([...drawn]).toHaveLength(width);
        expect(drawn.includes('▒')).toBe(more > 0);
      }),
    );
  });
});

describe('tasks of a question', () => {
  it('are asked about once for each kind', () => {
    const [a, b] = [
      { docker_image: 'a', cpu_required: 2, env: { A: '1' } },
      { docker_image: 'a', worker: 'w1' },
    ];
    expect(askedTasks([a, b, { ...a, env: { A: '2' } }], 5)).toEqual([
      { docker_image: 'a', cpu_required: 2, count: 10 },
      { docker_image: 'a', worker: 'w1', count: 5 },
    ]);
  });
});
