import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { TraceTask } from '../../../scheduler/core/simulation/trace.ts';
import { NO_DEMAND, NO_TERMS } from '../../../shared/model/labels.ts';
import { LONGEST_LINE } from './lines.ts';
import { readTrace, type TraceSource } from './read-trace.ts';
import { taskLine, workerLine } from './task-lines.ts';

let here: string;
let files = 0;
beforeAll(async () => {
  here = await mkdtemp(join(tmpdir(), 'cloudai-traces-'));
});
afterAll(() => rm(here, { recursive: true }));

async function fileOf(content: string | Uint8Array, ending = 'txt'): Promise<string> {
  files += 1;
  const path = join(here, `trace-${files}.${ending}`);
  await writeFile(path, content);
  return path;
}

const read = (source: Partial<TraceSource>) =>
  readTrace({
    tasks: [],
    machines: [],
    format: undefined,
    scale: { cpuMillis: 10_000, memoryMb: 1_000, gpus: 0, storageMb: 2_000 },
    signal: new AbortController().signal,
    onLines: async () => undefined,
    ...source,
  });
const readText = async (content: string | Uint8Array, ending?: string) =>
  read({ tasks: [await fileOf(content, ending)] });

describe("CloudAI's own layout", () => {
  it('is a task or a machine a line, in any order, with defaults for what is not said', async () => {
    const { tasks, workers, leftOut } = await readText(
      [
        '{"at": 90, "run": 5}',
        '{"worker": {"cpu": 8, "memory": 16384, "gpu": 1, "labels": {"disk": "ssd"}, "count": 2}}',
        '',
        '{"at": 30, "user": "alice", "cpu": 0.5, "memory": 100, "gpu": 2, "storage": 7, "run": 1.5, "k": 2, "priority": 9, "tag": "t", "image": "a:1", "constraints": {"disk": "ssd"}, "prefer": {"zone": ["a", "b"]}, "worker": "worker-00001"}',
      ].join('\r\n'),
    );
    expect(leftOut).toBe(0);
    expect(tasks).toEqual([
      {
        atMs: 0,
        user: 'alice',
        need: { cpuMillis: 500, memoryMb: 100, gpus: 2, storageMb: 7 },
        runMs: 1_500,
        kValue: 2,
        priority: 9,
        tag: 't',
        image: 'a:1',
        labels: { constraints: { disk: ['ssd'] }, prefer: { zone: ['a', 'b'] } },
        worker: 'worker-00001',
      },
      {
        // The first arrives at 0.
        atMs: 60_000,
        user: 'user',
        need: { cpuMillis: 1_000, memoryMb: 512, gpus: 0, storageMb: 0 },
        runMs: 5_000,
        kValue: 3,
        priority: 5,
        tag: '',
        image: '',
        labels: NO_DEMAND,
        worker: null,
      },
    ]);
    const capacity = { cpuMillis: 8_000, memoryMb: 16_384, gpus: 1, storageMb: 0 };
    expect(workers).toEqual(
      ['worker-00001', 'worker-00002'].map((id) => ({ id, capacity, labels: { disk: 'ssd' } })),
    );
  });

  it('names broken lines by number and fault, and reads the rest', async () => {
    const path = await fileOf(
      [
        '{"at": 1, "run": 5}',
        'what?',
        '[1]',
        '{"at": 1}',
        '{"at": -1, "run": 1}',
        '{"at": 1, "run": 1, "priority": 5.5}',
        '{"at": 1, "run": 1, "cpu": "2"}',
        '{"at": 1, "run": 1, "cpus": 2}',
        '{"at": 1, "run": 1, "constraints": {"disk": []}}',
        '{"worker": {"cpu": 1}}',
        '{"at": 1, "run": 1, "worker": "no id"}',
        `{"at": 1, "run": 1, "tag": "${'x'.repeat(LONGEST_LINE)}"}`,
        '{"at": 2, "run": 5}',
      ].join('\n'),
    );
    const { tasks, faults, leftOut } = await read({ tasks: [path] });
    expect(tasks).toHaveLength(2);
    expect(leftOut).toBe(11);
    expect(faults.every(({ file }) => file === path)).toBe(true);
    expect(faults.map(({ line, fault }) => `${line}: ${fault}`)).toEqual([
      '2: it is not JSON',
      '3: it is no JSON object',
      '4: "run" is missing',
      '5: "at" must be between 0 and 31622400',
      '6: "priority" must be a whole number',
      '7: "cpu" must be a number',
      expect.stringMatching(/^8: "cpus" is no field of it; there are at, user, cpu,/),
      '9: "constraints" must have a text or a list of texts for each label',
      '10: "memory" is missing',
      '11: "worker" must be the id of a machine, or a machine',
      `12: it is longer than ${LONGEST_LINE} characters`,
    ]);
  });

  it('names no more than so many, and counts them all', async () => {
    const { faults, leftOut } = await readText(`{"at":0,"run":1}\n${'{}\n'.repeat(500)}`);
    expect([faults.length, leftOut]).toEqual([20, 500]);
  });

  it('is read packed as well', async () => {
    const text = '{"at":0,"run":1}\n'.repeat(5_000);
    expect((await readText(gzipSync(text), 'gz')).tasks).toHaveLength(5_000);
    await expect(readText('no gzip', 'gz')).rejects.toThrow('it is not packed as .gz says, or broken');
  });

  it('comes back as it was written', async () => {
    const terms = fc.constantFrom(NO_TERMS, { disk: ['ssd', 'nvme'] }, { zone: ['a'], disk: ['ssd'] });
    const anyTask = fc.record({
      atMs: fc.nat(1_000_000),
      user: fc.string({ maxLength: 20 }),
      need: fc.record({
        cpuMillis: fc.nat(64_000),
        memoryMb: fc.nat(100_000),
        gpus: fc.nat(8),
        storageMb: fc.nat(1_000),
      }),
      runMs: fc.integer({ min: 1, max: 10_000_000 }),
      kValue: fc.constantFrom(1, 1.5, 3),
      priority: fc.nat(9),
      image: fc.string({ maxLength: 20 }),
      tag: fc.string({ maxLength: 20 }),
      labels: fc.tuple(terms, terms).map(([constraints, prefer]) => ({ constraints, prefer })),
      worker: fc.constantFrom(null, 'w1'),
    });
    const worker = {
      id: 'w1',
      capacity: { cpuMillis: 1_500, memoryMb: 10, gpus: 1, storageMb: 3 },
      labels: { zone: 'a' },
    };
    await fc.assert(
      fc.asyncProperty(fc.array(anyTask, { minLength: 1, maxLength: 5 }), async (some) => {
        const tasks: TraceTask[] = [...some].sort((a, b) => a.atMs - b.atMs);
        const found = await readText(workerLine(worker) + tasks.map(taskLine).join(''));
        const first = tasks[0]!.atMs;
        expect(found.tasks).toEqual(tasks.map((task) => ({ ...task, atMs: task.atMs - first })));
        expect(found.workers).toEqual([worker]);
      }),
      { numRuns: 30 },
    );
  });
});

describe("Google's tables", () => {
  /** time, missing info, job, index, machine, event, user, class, priority, cpu, memory, disk, apart */
  const row = (
    seconds: number,
    job: number,
    event: number,
    more: { priority?: number; cpu?: string; apart?: string } = {},
  ) =>
    `${seconds * 1e6},,${job},0,,${event},u${job},2,${more.priority ?? 4},${more.cpu ?? '0.25'},0.1,0.0005,${more.apart ?? '0'}`;

  it('become tasks from their submission, running from their last schedule to their end', async () => {
    const first = [
      row(600, 1, 0, { priority: 11, apart: '1' }),
      row(610, 1, 1),
      row(620, 2, 0),
      row(630, 2, 1),
      row(640, 2, 2),
      row(640, 2, 0),
    ];
    // What happens to a task goes on in the next file.
    const second = [
      row(700, 2, 1),
      row(710, 1, 5),
      row(720, 2, 8, { cpu: '0.5' }),
      row(760, 2, 4),
      row(770, 3, 0),
      row(780, 4, 0),
      row(790, 4, 4),
      'time,and,so,on',
      row(800, 5, 12),
    ];
    const trace = await read({
      tasks: [await fileOf(first.join('\n')), await fileOf(second.join('\n'))],
    });
    expect(
      trace.tasks.map(({ atMs, user, runMs, priority, need }) => [
        atMs,
        user,
        runMs,
        priority,
        need.cpuMillis,
        need.memoryMb,
        need.storageMb,
      ]),
    ).toEqual([
      [0, 'u1', 100_000, 9, 2_500, 100, 1],
      [20_000, 'u2', 60_000, 4, 5_000, 100, 1],
    ]);
    expect(trace.faults.map(({ line, fault }) => [line, fault])).toEqual([
      [8, 'it has 4 columns, and task_events has 13'],
      [9, '"event type" must be between 0 and 8'],
    ]);
    const told = trace.remarks.join(' ');
    expect(told).toContain('taken to have 10 cores');
    expect(told).toContain('1 task had not ended');
    expect(told).toContain('1 task ended without having run');
    expect(told).toContain('1 task had to be on machines of their own');
  });

  it('have tasks that end after the trace, nobody knows when', async () => {
    const rows = [row(1, 1, 0), row(2, 1, 1), row(3, 2, 0), row(4, 2, 1), row(9, 2, 5)];
    const end = row(0, 1, 5).replace(/^0/, '9223372036854775807');
    const trace = await readText([...rows, end].join('\n'));
    expect(trace.tasks).toHaveLength(1);
    expect(trace.remarks.join()).toContain('1 task had not ended in the trace');
  });

  it('tell of the machines there are at the beginning', async () => {
    const rows = ['0,5,0,HofLG/=,0.5,0.25', '0,6,0,,1,1', '900,7,0,,1,1', '950,6,1,,,'];
    const { workers, remarks } = await read({ machines: [await fileOf(rows.join('\n'))] });
    expect(workers).toEqual([
      {
        id: 'machine-5',
        capacity: { cpuMillis: 5_000, memoryMb: 250, gpus: 0, storageMb: 2_000 },
        labels: { platform: 'HofLG' },
      },
      {
        id: 'machine-6',
        capacity: { cpuMillis: 10_000, memoryMb: 1_000, gpus: 0, storageMb: 2_000 },
        labels: { platform: '' },
      },
    ]);
    expect(remarks.join()).toContain('2 changes of machines after the beginning');
  });
});

describe("Alibaba's tables", () => {
  it('of 2018 become as many tasks as they have instances', async () => {
    const rows = [
      'M1,3,j_1,1,Terminated,100,160,150,0.5',
      'task_x,1,j_2,4,Running,100,0,100,0.1',
      'R2_1,1,j_1,1,Terminated,160,200,,',
      'M1,many,j_3,1,Terminated,1,2,100,1',
    ];
    const meta = ['m_1,0,1,1,64,50,USING', 'm_1,500,1,1,64,50,USING', 'm_2,0,1,1,96,100,USING'];
    const trace = await read({
      tasks: [await fileOf(rows.join('\n'))],
      machines: [await fileOf(meta.join('\n'))],
    });
    expect(trace.tasks.map(({ atMs, runMs, need }) => [atMs, runMs, need.cpuMillis, need.memoryMb])).toEqual([
      [0, 60_000, 1_500, 5],
      [0, 60_000, 1_500, 5],
      [0, 60_000, 1_500, 5],
      [60_000, 40_000, 1_000, 0],
    ]);
    expect(trace.faults.map(({ line, fault }) => [line, fault])).toEqual([
      [4, '"instance_num" is no number'],
    ]);
    expect(trace.remarks.join()).toContain('1 row of tasks that did not run to their end');
    expect(trace.workers.map(({ id, capacity }) => [id, capacity.cpuMillis, capacity.memoryMb])).toEqual([
      ['m_1', 64_000, 500],
      ['m_2', 96_000, 1_000],
    ]);
  });

  it('of 2023 are told by their headings, and models of GPUs become labels', async () => {
    const pods = [
      'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,pod_phase,creation_time,deletion_time,scheduled_time',
      'p1,88000,327680,8,1000,,Burstable,Succeeded,1000,1600,1010',
      'p2,4000,15258,1,220,V100M16|V100M32,LS,Running,1005,1100,1010',
      'p3,4000,15258,1,220,,LS,Pending,1005,,',
      'p4,lots,15258,1,220,,LS,Pending,1005,,',
    ];
    const nodes = ['sn,cpu_milli,memory_mib,gpu,model', 'n1,96000,786432,8,V100M32', 'n2,32000,262144,0,'];
    const trace = await read({
      tasks: [await fileOf(pods.join('\n'))],
      machines: [await fileOf(nodes.join('\n'))],
    });
    expect(
      trace.tasks.map(({ atMs, runMs, need, priority, labels }) => [
        atMs,
        runMs,
        need.gpus,
        priority,
        labels,
      ]),
    ).toEqual([
      [0, 590_000, 8, 5, NO_DEMAND],
      [5_000, 90_000, 1, 7, { constraints: { gpu_model: ['V100M16', 'V100M32'] }, prefer: NO_TERMS }],
    ]);
    expect(trace.faults).toHaveLength(1);
    expect(trace.remarks.join()).toContain('1 task asked for a part of a GPU and gets a whole one');
    expect(trace.workers.map(({ id, capacity, labels }) => [id, capacity.gpus, labels])).toEqual([
      ['n1', 8, { gpu_model: 'V100M32' }],
      ['n2', 0, {}],
    ]);
  });
});

describe('amounts that no machine has', () => {
  const pods =
    'name,cpu_milli,memory_mib,num_gpu,gpu_milli,gpu_spec,qos,creation_time,deletion_time,scheduled_time';
  it.each([
    ['p,-4000,100,0,0,,LS,10,50,20', 'its cores must be between 0 and 100000'],
    ['p,4000,1e15,0,0,,LS,10,50,20', /^its MB of memory must be between 0/],
    ['p,4000,100,0.5,500,,LS,10,50,20', 'its GPUs must be a whole number'],
    ['p,4000,100,1e12,0,,LS,10,50,20', 'its GPUs must be between 0 and 1000'],
    ['p,4000,100,0,0,,LS,10,1e12,20', 'it must run for a year at most'],
    ['p,4000,100,0,0,,LS,-10,50,20', 'it comes at no time that can be played'],
  ])('make a task a broken line: %s', async (line, fault) => {
    const trace = await readText(`${pods}\n${line}\np,1000.5,100,0,0,,LS,10,50,20`);
    expect(trace.faults).toEqual([
      { file: expect.any(String), line: 2, fault: expect.stringMatching(fault) },
    ]);
    expect(trace.tasks.map(({ need }) => need.cpuMillis)).toEqual([1_001]);
  });

  it('make a machine a broken line', async () => {
    const nodes = await fileOf('sn,cpu_milli,memory_mib,gpu,model\nn1,1000,10,1e12,A\nn2,1000,10,1,A');
    const { workers, faults } = await read({ machines: [nodes] });
    expect(workers.map(({ id }) => id)).toEqual(['n2']);
    expect(faults.map(({ fault }) => fault)).toEqual(['its GPUs must be between 0 and 1000']);
  });
});

describe('a file', () => {
  it('that is no trace is refused, with what to do', async () => {
    await expect(readText('a,b,c\n'.repeat(30))).rejects.toThrow('does not begin with tasks in any layout');
    await expect(readText('a,b,c\n')).rejects.toThrow('does not begin with tasks');
    await expect(read({ tasks: [await fileOf('{"at":0,"run":1}')], format: 'google' })).rejects.toThrow(
      'the format google',
    );
    await expect(readText(Uint8Array.from([0x7b, 0xff, 0xfe, 0x0a]))).rejects.toThrow(
      'it is not text in UTF-8',
    );
    await expect(read({ tasks: [join(here, 'none')] })).rejects.toThrow('there is no such file');
    await expect(read({ tasks: [here] })).rejects.toThrow('it is a folder');
  });

  it('whose first lines are broken is read from where it is not', async () => {
    const { tasks, faults } = await readText('so,much\n{"at":0,"run":1}\n');
    expect(tasks).toHaveLength(1);
    expect(faults.map(({ line }) => line)).toEqual([1]);
  });
});
