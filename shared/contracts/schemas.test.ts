import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { makeSpec, makeTask } from '../../test/support/tasks.ts';
import { MASKED, type SubmitBody, taskBody, taskSpec } from './http.ts';
import { submitSchema, taskIdSchema } from './schemas.ts';
import { SUBMIT_DEFAULTS } from './submit-defaults.ts';

function check(body: unknown): { faults: string[]; value: SubmitBody } {
  const { error, value } = submitSchema.validate(body, { abortEarly: false, convert: false });
  return { faults: (error?.details ?? []).map((fault) => fault.path.join('.')), value };
}

const manyLabels = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`l${n}`, 'a']));

const image = { docker_image: 'ubuntu:latest' };

describe('a submission', () => {
  it('needs only an image', () => {
    const { faults, value } = check(image);
    expect(faults).toEqual([]);
    expect(taskSpec(value)).toMatchObject({
      image: 'ubuntu:latest',
      command: null,
      resources: { cpuMillis: 1000, memoryMb: 512, gpus: 0, storageMb: 0 },
      priority: 5,
      kValue: 3,
      worker: null,
      pullPolicy: 'if-missing',
      network: 'bridge',
      constraints: {},
      prefer: {},
      mounts: [],
      webhook: null,
    });
  });

  it('takes the body of the contract as it stands', () => {
    const body = JSON.parse(
      '{"docker_image":"ubuntu:latest","command":"echo hello","cpu_required":1.0,"memory_required":512.0,"gpu_required":0,"storage_required":0,"tag":"batch-job","k_value":3,"name":"","env":{},"priority":5,"timeout_seconds":0,"max_retries":0,"worker":"","files":[],"secrets":[],"pull_policy":"if-missing","network":"bridge"}',
    );
    expect(check(body)).toEqual({
      faults: [],
      value: { ...SUBMIT_DEFAULTS, ...body },
    });
  });

  it.each([
    ['python:3.9'],
    ['registry.example.com:5000/team/app:1.2'],
    ['localhost/app'],
    ['a/b/c@sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef'],
    ['cloudai/busybox:local'],
    ['ghcr.io/Owner/app'.toLowerCase()],
  ])('takes the image %s', (docker_image) => {
    expect(check({ docker_image }).faults).toEqual([]);
  });

  it.each([
    [''],
    ['ubuntu; rm -rf /'],
    ['$(id)'],
    ['ubuntu`id`'],
    ['a b'],
    ['Upper'],
    ['-flag'],
    ['a//b'],
    ['a:'],
    ['../up'],
    ['x'.repeat(600)],
    ['ubuntu\n'],
  ])('refuses the image %j', (docker_image) => {
    expect(check({ docker_image }).faults).toEqual(['docker_image']);
  });

  it.each<[string, object, string[]]>([
    ['an unknown field', { cpus: 1 }, ['cpus']],
    ['text for a number', { cpu_required: '1.0' }, ['cpu_required']],
    ['a number for text', { tag: 5 }, ['tag']],
    ['negative cpu', { cpu_required: -1 }, ['cpu_required']],
    ['no cpu at all', { cpu_required: 0 }, ['cpu_required']],
    ['absurd memory', { memory_required: 1e12 }, ['memory_required']],
    ['half a GPU', { gpu_required: 0.5 }, ['gpu_required']],
    ['not a number', { storage_required: Number.NaN }, ['storage_required']],
    ['a command of 1 MB', { command: 'x'.repeat(1_048_576) }, ['command']],
    ['an exec command of 1 MB', { command: Array(1024).fill('x'.repeat(1024)) }, ['command']],
    ['an empty command', { command: '' }, ['command']],
    ['an empty list', { command: [] }, ['command']],
    ['NUL in a command', { command: 'a\0b' }, ['command']],
    ['a bad name in env', { env: { 'A-B': 'x' } }, ['env.A-B']],
    ['a number in env', { env: { A: 1 } }, ['env.A']],
    ['priority out of range', { priority: 10 }, ['priority']],
    ['an unknown pull policy', { pull_policy: 'sometimes' }, ['pull_policy']],
    ['the host network', { network: 'host' }, ['network']],
    ['a path that climbs', { files: ['a/../../b'] }, ['files.0']],
    ['an absolute path', { files: ['/etc/passwd'] }, ['files.0']],
    ['a mount without a target', { mounts: [{ source: '/a' }] }, ['mounts.0.target']],
    ['relative mounts', { mounts: [{ source: 'a', target: 'b' }] }, ['mounts.0.source', 'mounts.0.target']],
    ['a mount that climbs', { mounts: [{ source: '/a/../etc', target: '/b' }] }, ['mounts.0.source']],
    ['the whole machine', { mounts: [{ source: '/', target: '/b' }] }, ['mounts.0.source']],
    [
      'the socket of the engine',
      { mounts: [{ source: '/var/run/docker.sock', target: '/b' }] },
      ['mounts.0.source'],
    ],
    ['a mount in /output', { mounts: [{ source: '/a', target: '/output/b' }] }, ['mounts.0.target']],
    ['a target twice', { mounts: ['/a', '/b'].map((source) => ({ source, target: '/t' })) }, ['mounts']],
    [
      'a target in another',
      { mounts: ['/t', '/t/u'].map((target) => ({ source: '/a', target })) },
      ['mounts'],
    ],
    [
      'too many mounts',
      { mounts: Array.from({ length: 17 }, (_, n) => ({ source: '/a', target: `/t${n}` })) },
      ['mounts'],
    ],
    ['mounts as text', { mounts: '/a:/b' }, ['mounts']],
    ['a strange worker id', { worker: 'a b' }, ['worker']],
    ['a label without a value', { constraints: { disk: [] } }, ['constraints.disk']],
    ['a name that is no label', { constraints: { 'disk!': 'ssd' } }, ['constraints.disk!']],
    ['a value that is no label', { prefer: { zone: 'a b' } }, ['prefer.zone']],
    ['a number as a value', { constraints: { rack: 5 } }, ['constraints.rack']],
    ['a number among values', { constraints: { rack: ['4', 5] } }, ['constraints.rack.1']],
    ['a value twice', { constraints: { rack: ['4', '4'] } }, ['constraints.rack.1']],
    ['labels as text', { constraints: 'disk=ssd' }, ['constraints']],
    ['too many labels', { prefer: manyLabels(17) }, ['prefer']],
    ['too many values', { prefer: { rack: Object.keys(manyLabels(17)) } }, ['prefer.rack']],
    ['a secret that is not in env', { secrets: ['KEY'] }, ['']],
    ['a retry after a fault of workers', { retry_on: ['exit_code', 'worker_lost'] }, ['retry_on.1']],
    ['a retry after a wait', { retry_on: ['queue_timed_out'] }, ['retry_on.0']],
    ['unknown reasons', { retry_on: ['sometimes', 5] }, ['retry_on.0', 'retry_on.1']],
    ['a reason twice', { retry_on: ['oom_killed', 'oom_killed'] }, ['retry_on.1']],
    ['no reason', { retry_on: [] }, ['retry_on']],
    ['a reason as text', { retry_on: 'exit_code' }, ['retry_on']],
    [
      'an exit code that is none',
      { retry_on_exit_codes: [0, 256, 1.5] },
      [0, 1, 2].map((n) => `retry_on_exit_codes.${n}`),
    ],
    ['exit codes without exit_code', { retry_on: ['timed_out'], retry_on_exit_codes: [75] }, ['']],
    ['a pause of days', { retry_delay_seconds: 86_401 }, ['retry_delay_seconds']],
    ['half a second', { queue_timeout_seconds: 0.5 }, ['queue_timeout_seconds']],
    ['a wait that ends before it begins', { queue_timeout_seconds: -1 }, ['queue_timeout_seconds']],
    [
      'several faults',
      { cpu_required: -1, memory_required: 'much', nope: 1 },
      ['cpu_required', 'memory_required', 'nope'],
    ],
  ])('refuses %s and names it', (_what, over, faults) => {
    expect(check({ ...image, ...over }).faults.sort()).toEqual(faults.sort());
  });

  it('says of a platform reason that it is tried again anyway', () => {
    const { error } = submitSchema.validate({ ...image, retry_on: ['worker_lost'] });
    expect(error?.message).toBe(
      '"retry_on[0]" cannot name worker_lost: faults of workers are tried again anyway and cost no retry',
    );
  });

  it.each([[null], [[]], ['text'], [5]])('refuses %j as a body', (body) => {
    expect(check(body).faults).toHaveLength(1);
  });

  it('never throws, whatever it is given', () => {
    fc.assert(fc.property(fc.anything(), (body) => void check(body)));
    fc.assert(fc.property(fc.string({ maxLength: 300 }), (docker_image) => void check({ docker_image })));
  });
});

describe('the wire form of a task', () => {
  it('goes back to the same spec', () => {
    const spec = makeSpec({
      command: ['a', ''],
      env: { A: 'x' },
      worker: 'worker-1',
      constraints: { disk: ['ssd'], zone: ['a', 'b'], rack: [''] },
      prefer: { gpu: ['a100'] },
      files: ['in/a.csv'],
      maxRetries: 3,
      retryOn: ['exit_code', 'image_error'],
      retryOnExitCodes: [75],
      retryDelaySeconds: 0,
      queueTimeoutSeconds: 60,
    });
    const body = taskBody(makeTask(spec));
    expect(taskSpec(body)).toEqual(spec);
    // One value is text, as most people write it.
    expect(body.constraints).toEqual({ disk: 'ssd', zone: ['a', 'b'], rack: '' });
  });
  it('never shows the value of a secret', () => {
    const body = taskBody(makeTask({ env: { KEY: 'hunter2', OTHER: 'seen' }, secrets: ['KEY'] }));
    expect(body.env).toEqual({ KEY: MASKED, OTHER: 'seen' });
    expect(JSON.stringify(body)).not.toContain('hunter2');
  });
});

describe('a task id', () => {
  it('is recognised, and nothing else', () => {
    expect(taskIdSchema.validate(makeTask().id).error).toBeUndefined();
    for (const id of ['task-', 'task-../../etc', '1', `${makeTask().id}x`]) {
      expect(taskIdSchema.validate(id).error).toBeDefined();
    }
  });
});
