import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MASKED, type SubmitBody } from '../../../shared/contracts/http.ts';
import { labelTermsBody } from '../../../shared/contracts/labels.ts';
import { submitSchema } from '../../../shared/contracts/schemas.ts';
import { SUBMIT_DEFAULTS } from '../../../shared/contracts/submit-defaults.ts';
import { NETWORKS, PULL_POLICIES, RETRY_REASONS, type RetryReason } from '../../../shared/model/task.ts';
import { WEBHOOK_EVENTS } from '../../../shared/model/webhook.ts';
import { briefRequest } from '../../data/task-request.ts';
import { EMPTY_FORM, formFaults, formOf, requestOf } from './form-state.ts';

const text = fc.string({ maxLength: 40 }).map((one) => one.replaceAll('\0', ''));
const trimmed = fc.string({ maxLength: 20 }).map((one) => one.replace(/\p{Cc}/gu, '').trim());
const names = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_]{0,8}$/);
const terms = fc
  .dictionary(
    fc.stringMatching(/^[a-z._-]{1,6}$/).filter((name) => name !== '__proto__'),
    fc.uniqueArray(fc.stringMatching(/^[A-Za-z0-9._-]{0,6}$/), { minLength: 1, maxLength: 3 }),
    { maxKeys: 3 },
  )
  .map(labelTermsBody);
const path = fc.stringMatching(/^[a-z]{1,5}(?:\/[a-z]{1,5})?$/);

/** Tasks as the API gives them back: all fields are there. */
const body: fc.Arbitrary<SubmitBody> = fc
  .record({
    docker_image: fc.constantFrom('python:3.9', 'team/app:1', 'registry.example.com:5000/a/b'),
    command: fc.oneof(
      fc.constant(null),
      text.filter((one) => one.trim() !== ''),
      fc.array(text, { minLength: 1, maxLength: 5 }).filter((words) => words.some((word) => word !== '')),
    ),
    cpu_required: fc.integer({ min: 10, max: 4_096_000 }).map((millis) => millis / 1_000),
    memory_required: fc.integer({ min: 6, max: 16_777_216 }),
    gpu_required: fc.integer({ min: 0, max: 1_024 }),
    storage_required: fc.integer({ min: 0, max: 1_073_741_824 }),
    tag: trimmed,
    k_value: fc.integer({ min: 10, max: 10_000 }).map((tenths) => tenths / 10),
    name: trimmed,
    env: fc.dictionary(names, text, { maxKeys: 5 }),
    priority: fc.integer({ min: 0, max: 9 }),
    timeout_seconds: fc.integer({ min: 0, max: 31_536_000 }),
    max_retries: fc.integer({ min: 0, max: 100 }),
    retry_on: fc
      .subarray([...RETRY_REASONS], { minLength: 1 })
      .map((others) => [...new Set<RetryReason>([...others, 'exit_code'])]),
    retry_on_exit_codes: fc.uniqueArray(fc.integer({ min: 1, max: 255 }), { maxLength: 3 }),
    retry_delay_seconds: fc.integer({ min: 0, max: 86_400 }),
    queue_timeout_seconds: fc.integer({ min: 0, max: 31_536_000 }),
    worker: fc.constantFrom('', 'worker-1'),
    constraints: terms,
    prefer: terms,
    files: fc.uniqueArray(path, { maxLength: 4 }),
    mounts: fc.array(
      fc.record({
        source: path.map((one) => `/${one}`),
        target: path.map((one) => `/${one}`),
        read_only: fc.boolean(),
      }),
      { maxLength: 3 },
    ),
    pull_policy: fc.constantFrom(...PULL_POLICIES),
    network: fc.constantFrom(...NETWORKS),
    webhook: fc.option(
      fc.record({
        url: fc.constant('https://example.com/hook'),
        events: fc.uniqueArray(fc.constantFrom(...WEBHOOK_EVENTS), { minLength: 1 }),
      }),
    ),
  })
  .chain((made) =>
    fc.subarray(Object.keys(made.env)).map((secrets) => ({
      ...made,
      secrets,
    })),
  );

describe('the form', () => {
  it('gives back every task that is put into it', () => {
    fc.assert(
      fc.property(body, (task) => {
        fc.pre(!Object.values(task.env).includes(MASKED));
        const form = formOf(task);
        expect(requestOf(form)).toEqual(task);
        expect(formOf(requestOf(form))).toEqual(form);
        expect(formFaults(form)).toEqual([]);
      }),
    );
  });

  it('says no more than it must, and the API fills in the rest', () => {
    fc.assert(
      fc.property(body, (task) => {
        expect({ ...SUBMIT_DEFAULTS, ...briefRequest(task) }).toEqual(task);
      }),
    );
    expect(briefRequest(requestOf({ ...EMPTY_FORM, image: 'a' }))).toEqual({ docker_image: 'a' });
  });

  it('has the defaults of the API', () => {
    const { value } = submitSchema.validate({ docker_image: 'a' });
    expect({ ...SUBMIT_DEFAULTS, docker_image: 'a' }).toEqual(value);
    expect(requestOf(formOf({ docker_image: 'a' }))).toEqual(value);
  });

  it('counts in the units that are chosen', () => {
    const form = {
      ...EMPTY_FORM,
      memory: { text: '1.5', unit: 'GB' },
      storage: { text: '0,5', unit: 'GB' },
      timeout: { text: '1.5', unit: 'hours' },
    } as const;
    expect(requestOf(form)).toMatchObject({
      memory_required: 1_536,
      storage_required: 512,
      timeout_seconds: 5_400,
    });
    expect(formOf({ docker_image: 'a', memory_required: 2_048, timeout_seconds: 120 })).toMatchObject({
      memory: { text: '2', unit: 'GB' },
      timeout: { text: '2', unit: 'minutes' },
    });
    expect(formOf({ docker_image: 'a', memory_required: 1_500 }).memory).toEqual({
      text: '1500',
      unit: 'MB',
    });
  });

  it('takes exit codes with commas, where they mean anything', () => {
    const form = { ...EMPTY_FORM, image: 'a', exitCodes: ' 75,111 ' };
    expect(requestOf(form).retry_on_exit_codes).toEqual([75, 111]);
    expect(requestOf({ ...form, retryOn: ['oom_killed'] }).retry_on_exit_codes).toEqual([]);
    expect(formFaults({ ...form, exitCodes: '75, often' }).map(({ field }) => field)).toEqual([
      'retry_on_exit_codes',
    ]);
  });

  it('runs the image’s own command when none is given in either form', () => {
    expect(requestOf({ ...EMPTY_FORM, shell: ' \n' }).command).toBeNull();
    expect(requestOf({ ...EMPTY_FORM, commandForm: 'exec', words: [''], shell: 'x' }).command).toBeNull();
  });

  it('names everything at once that keeps it from being sent', () => {
    const faults = formFaults({
      ...EMPTY_FORM,
      image: ' ',
      cpu: 'two',
      memory: { text: '', unit: 'MB' },
      k: '1e',
      retries: '2',
      retryOn: [],
      retryDelay: { text: 'soon', unit: 'seconds' },
      webhookUrl: 'https://a',
      webhookEvents: [],
      constraints: [{ name: 'disk', values: '' }],
      prefer: [{ name: '', values: '' }],
      env: [
        { name: 'A', value: '1', secret: false, asked: false },
        { name: 'A', value: '2', secret: false, asked: false },
        { name: '', value: 'x', secret: false, asked: false },
        { name: 'KEY', value: '', secret: true, asked: true },
        { name: '', value: '', secret: false, asked: false },
      ],
    });
    expect(faults.map(({ field }) => field)).toEqual([
      'docker_image',
      'cpu_required',
      'memory_required',
      'retry_delay_seconds',
      'k_value',
      'retry_on',
      'webhook.events',
      'constraints.disk',
      'env.A',
      'env.',
      'env.KEY',
    ]);
  });

  it('asks for the values of secrets again, and for nothing else', () => {
    const { env } = formOf({ docker_image: 'a', env: { KEY: MASKED, STARS: MASKED }, secrets: ['KEY'] });
    expect(env).toEqual([
      { name: 'KEY', value: '', secret: true, asked: true },
      { name: 'STARS', value: MASKED, secret: false, asked: false },
    ]);
  });
});
