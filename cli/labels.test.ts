import { InvalidArgumentError } from 'commander';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../test/support/cli-stage.ts';
import {
  makeEndedBody,
  makeTaskBody,
  makeWorkerBody,
  refusal,
  Status,
  TASK_ID,
} from '../test/support/small-api.ts';
import { labelTerm } from './labels.ts';

describe('a label as it is typed', () => {
  it.each([
    ['disk=ssd', { disk: 'ssd' }],
    ['disk=ssd,nvme', { disk: ['ssd', 'nvme'] }],
    ['disk=ssd,ssd', { disk: 'ssd' }],
    ['gpu.vendor-x=', { 'gpu.vendor-x': '' }],
  ])('is read: %s', (text, terms) => {
    expect(labelTerm(text)).toEqual(terms);
  });

  it('comes to those of before', () => {
    expect(labelTerm('zone=a', labelTerm('disk=ssd'))).toEqual({ disk: 'ssd', zone: 'a' });
    // Every object has one, and yet it is a label like others.
    expect(labelTerm('constructor=a', {})).toEqual({ constructor: 'a' });
  });

  it.each([
    ['disk', /e\.g\. disk=ssd/],
    ['=ssd', /e\.g\. disk=ssd/],
    ['', /e\.g\. disk=ssd/],
    ['di sk=ssd', /A name of a label has 1 to 63 letters/],
    ['disk==ssd', /A value has up to 63 letters/],
    ['disk=ssd|nvme', /disk=ssd,nvme where any of these will do/],
    ['disk=ssd,', /One of its values is empty/],
    ['zone=b', /zone is given twice: .*zone=a,b/],
  ])('is refused with what to write instead: %j', (text, message) => {
    const reading = () => labelTerm(text, { zone: 'a' });
    expect(reading).toThrow(InvalidArgumentError);
    expect(reading).toThrow(message);
  });
});

describe('labels of a task', () => {
  let stage: CliStage;
  beforeEach(async () => {
    stage = await openCliStage();
    stage.api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
  });
  afterEach(() => stage.close());
  const labels = { constraints: { disk: ['ssd', 'nvme'], rack: '7' }, prefer: { zone: 'a' } };
  const lastBody = () => stage.api.asked.at(-1)?.body;

  it('are sent by task and dispatch', async () => {
    const options = '-constraint disk=ssd,nvme --constraint rack=7 -prefer zone=a'.split(' ');
    expect((await stage.cloudai(['task', 'a', ...options])).code).toBe(0);
    expect(lastBody()).toEqual({ docker_image: 'a', ...labels });
    expect((await stage.cloudai(['dispatch', 'worker-1', ...options, 'a'])).code).toBe(0);
    expect(lastBody()).toEqual({ docker_image: 'a', worker: 'worker-1', ...labels });
  });

  it('are sent from a file, where defaults and a matrix may have them', async () => {
    stage.api.on('POST /api/tasks/batch', () => new Status(201, { tasks: [makeTaskBody(), makeTaskBody()] }));
    const file = `
defaults: {docker_image: a, constraints: {disk: [ssd, nvme], rack: '7'}}
tasks:
  - {prefer: {zone: a}}
  - {prefer: {zone: "\${matrix.zone}"}, matrix: {zone: [b]}}
`;
    const told = await stage.cloudai(['submit', '-f', '-'], { input: file });
    expect(told.err).toBe('');
    expect(lastBody()).toMatchObject({ tasks: [labels, { ...labels, prefer: { zone: 'b' } }] });
  });

  it('are judged in a file in their place', async () => {
    const file = `- docker_image: a
  constraints:
    disk!: ssd
    rack: 7
- docker_image: a
  label: ssd
`;
    const told = await stage.cloudai(['submit', '-f', '-'], { input: file });
    expect(told.code).toBe(2);
    expect(told.err).toMatch(/:3:.*"constraints\.disk!" is not a name of a label/);
    expect(told.err).toMatch(
      /:4:.*"constraints\.rack" must be text or a list of texts, .*write '7' in quotes/,
    );
    expect(told.err).toMatch(/"label" is not a known field; did you mean constraints\?/);
    expect(stage.api.asked).toEqual([]);
  });

  it('are refused in the words that were typed', async () => {
    const told = await stage.cloudai(['task', 'a', '-constraint', 'disk']);
    expect(told).toMatchObject({ code: 2, out: '' });
    expect(told.err).toContain('Write a label and its value, e.g. disk=ssd');
    const message = '"constraints" must name at most 16 labels';
    const details = [{ field: 'constraints', message }];
    stage.api.on('POST /api/tasks', () => refusal(400, 'invalid_request', message, details));
    expect((await stage.cloudai(['task', 'a', '-constraint', 'disk=a'])).err).toContain(
      '-constraint must name at most 16 labels',
    );
  });

  it('are shown with the task, and so are its GPUs and that it has to leave', async () => {
    const [attempt] = makeEndedBody().attempts;
    if (!attempt) throw new Error('no attempt');
    const message = 'a task of priority 9\x1b[2J needs its place';
    const eviction = { requested_at: '2026-01-01T10:00:03.000Z', cause: 'preempted', message } as const;
    const open = { finished_at: null, exit_code: null, gpu_ids: ['gpu-0', 'gpu-1'], eviction };
    stage.api.on('GET /api/tasks/:id', () =>
      makeTaskBody({
        status: 'running',
        attempts: [
          { ...attempt, state: 'evicted', message: 'made room for task-2', gpu_ids: [] },
          { ...attempt, ...open, attempt: 2, state: 'running' },
        ],
        ...labels,
      }),
    );
    const { out } = await stage.cloudai(['describe', TASK_ID]);
    expect(out).toMatch(/^only with +disk=ssd,nvme rack=7$/m);
    expect(out).toMatch(/^better with +zone=a$/m);
    expect(out).toMatch(/^ +1 +evicted .*made room for task-2/m);
    expect(out).toMatch(/^ +2 +running .*gpu-0 gpu-1 +a task of priority 9 \[2J needs its place/m);
    expect(out).not.toContain('\x1b');
  });
});

it('labels of the workers show in their list, where there are any', async () => {
  const stage = await openCliStage();
  const listed = async (labels: Record<string, string>) => {
    stage.api.on('GET /workers', () => ({ workers: [makeWorkerBody({ labels })] }));
    return (await stage.cloudai(['workers'], { columns: 200 })).out;
  };
  const some = await listed({ disk: 'ssd', zone: 'a\x1b[2J' });
  expect(some).toMatch(/LABELS.*\n.* disk=ssd zone=a/);
  expect(some).not.toContain('\x1b');
  expect(await listed({})).not.toContain('LABELS');
  await stage.close();
});
