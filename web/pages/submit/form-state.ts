// What stands in the form for a new task, as it is typed, and the way between it and what the API takes. Pure. What can
// only be judged by the API is left to it; said here is what cannot even be sent.

import { MASKED, type SubmitBody, type SubmitRequest } from '../../../shared/contracts/http.ts';
import { labelTerms, labelTermsBody } from '../../../shared/contracts/labels.ts';
import type { MountBody } from '../../../shared/contracts/mounts.ts';
import { SUBMIT_DEFAULTS } from '../../../shared/contracts/submit-defaults.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';
import type { PullPolicy, RetryReason, TaskNetwork } from '../../../shared/model/task.ts';
import { DEFAULT_WEBHOOK_EVENTS, type WebhookEvent } from '../../../shared/model/webhook.ts';
import { type EnvRow, envFaults, envOf, rowsOf } from './env-rows.ts';
import { mountFaults, mountsOf } from './mount-rows.ts';
import { type TermRow, termFaults, termRows, termsOf } from './term-rows.ts';

export const SIZE_UNITS = ['MB', 'GB'] as const;
export type SizeUnit = (typeof SIZE_UNITS)[number];
export const TIME_UNITS = ['seconds', 'minutes', 'hours'] as const;
export type TimeUnit = (typeof TIME_UNITS)[number];

export interface Measure<U extends string> {
  readonly text: string;
  readonly unit: U;
}

export interface FormState {
  readonly image: string;
  readonly commandForm: 'shell' | 'exec';
  /** For a shell; empty means the image's own command. */
  readonly shell: string;
  /** A program and its arguments; none means the image's own command. */
  readonly words: readonly string[];
  readonly env: readonly EnvRow[];
  readonly cpu: string;
  readonly memory: Measure<SizeUnit>;
  readonly gpu: string;
  readonly storage: Measure<SizeUnit>;
  /** Empty: any. */
  readonly worker: string;
  /** Labels its worker must have, and those that make one better. */
  readonly constraints: readonly TermRow[];
  readonly prefer: readonly TermRow[];
  readonly priority: string;
  readonly retries: string;
  readonly timeout: Measure<TimeUnit>;
  readonly retryOn: readonly RetryReason[];
  /** With commas; empty: any. */
  readonly exitCodes: string;
  readonly retryDelay: Measure<TimeUnit>;
  readonly queueTimeout: Measure<TimeUnit>;
  readonly network: TaskNetwork;
  readonly pullPolicy: PullPolicy;
  readonly k: string;
  readonly files: readonly string[];
  readonly mounts: readonly MountBody[];
  readonly webhookUrl: string;
  readonly webhookEvents: readonly WebhookEvent[];
  readonly name: string;
  readonly tag: string;
}

const MB_PER: Readonly<Record<SizeUnit, number>> = { MB: 1, GB: 1_024 };
const SECONDS_PER: Readonly<Record<TimeUnit, number>> = { seconds: 1, minutes: 60, hours: 3_600 };

// After the tables that it is made with.
export const EMPTY_FORM: FormState = formOf({ docker_image: '' });

/** Values of secrets that are masked have to be typed anew. */
export function formOf(given: SubmitRequest): FormState {
  const task: SubmitBody = { ...SUBMIT_DEFAULTS, ...given };
  const { command } = task;
  return {
    image: task.docker_image,
    commandForm: Array.isArray(command) ? 'exec' : 'shell',
    shell: typeof command === 'string' ? command : '',
    words: Array.isArray(command) ? [...command] : [],
    env: rowsOf(task.env, task.secrets, MASKED),
    cpu: plainNumber(task.cpu_required),
    memory: sizeOf(task.memory_required),
    gpu: plainNumber(task.gpu_required),
    storage: sizeOf(task.storage_required),
    worker: task.worker,
    constraints: termRows(labelTerms(task.constraints)),
    prefer: termRows(labelTerms(task.prefer)),
    priority: plainNumber(task.priority),
    retries: plainNumber(task.max_retries),
    timeout: timeOf(task.timeout_seconds),
    retryOn: [...task.retry_on],
    exitCodes: task.retry_on_exit_codes.join(', '),
    retryDelay: timeOf(task.retry_delay_seconds),
    queueTimeout: timeOf(task.queue_timeout_seconds),
    network: task.network,
    pullPolicy: task.pull_policy,
    k: plainNumber(task.k_value),
    files: [...task.files],
    mounts: task.mounts.map((mount) => ({ ...mount, read_only: mount.read_only ?? false })),
    webhookUrl: task.webhook?.url ?? '',
    webhookEvents: [...(task.webhook?.events ?? DEFAULT_WEBHOOK_EVENTS)],
    name: task.name,
    tag: task.tag,
  };
}

/** What is not a number is sent as null, which no one takes for one; `formFaults` says so before. */
export function requestOf(form: FormState): SubmitBody {
  return {
    docker_image: form.image.trim(),
    command: commandOf(form),
    cpu_required: numberOf(form.cpu),
    memory_required: megabytesOf(form.memory),
    gpu_required: numberOf(form.gpu),
    storage_required: megabytesOf(form.storage),
    tag: form.tag.trim(),
    k_value: numberOf(form.k),
    name: form.name.trim(),
    ...envOf(form.env),
    priority: numberOf(form.priority),
    timeout_seconds: secondsOf(form.timeout),
    max_retries: numberOf(form.retries),
    // Without retries what was chosen for them does not matter.
    retry_on:
      numberOf(form.retries) === 0 && form.retryOn.length === 0
        ? SUBMIT_DEFAULTS.retry_on
        : [...form.retryOn],
    retry_on_exit_codes: codesOf(form),
    retry_delay_seconds: secondsOf(form.retryDelay),
    queue_timeout_seconds: secondsOf(form.queueTimeout),
    worker: form.worker,
    constraints: labelTermsBody(termsOf(form.constraints)),
    prefer: labelTermsBody(termsOf(form.prefer)),
    files: [...form.files],
    mounts: mountsOf(form.mounts),
    pull_policy: form.pullPolicy,
    network: form.network,
    webhook:
      form.webhookUrl.trim() === '' ? null : { url: form.webhookUrl.trim(), events: [...form.webhookEvents] },
  };
}

/** Everything that keeps the form from being sent, named like the fields of the API. */
export function formFaults(form: FormState): ErrorDetail[] {
  const faults: ErrorDetail[] = [];
  if (form.image.trim() === '')
    faults.push({ field: 'docker_image', message: 'Name an image, for example python:3.9' });
  const numbers: readonly (readonly [string, string, string])[] = [
    ['cpu_required', 'Cores', form.cpu],
    ['memory_required', 'Memory', form.memory.text],
    ['gpu_required', 'GPUs', form.gpu],
    ['storage_required', 'Storage', form.storage.text],
    ['priority', 'Priority', form.priority],
    ['max_retries', 'Retries', form.retries],
    ['timeout_seconds', 'The time limit', form.timeout.text],
    ['queue_timeout_seconds', 'The wait limit', form.queueTimeout.text],
    ['retry_delay_seconds', 'The pause', form.retryDelay.text],
    ['k_value', 'k', form.k],
  ];
  for (const [field, name, text] of numbers) {
    if (!Number.isFinite(numberOf(text))) faults.push({ field, message: `${name} must be a number` });
  }
  if (form.retryOn.length === 0 && numberOf(form.retries) !== 0) {
    faults.push({ field: 'retry_on', message: 'Choose at least one failure, or set the retries to 0' });
  }
  if (!codesOf(form).every((code) => Number.isInteger(code))) {
    faults.push({ field: 'retry_on_exit_codes', message: 'Write whole numbers with commas, e.g. 75, 111' });
  }
  if (form.webhookUrl.trim() !== '' && form.webhookEvents.length === 0) {
    faults.push({ field: 'webhook.events', message: 'Choose at least one event to be told of' });
  }
  return [
    ...faults,
    ...termFaults(form.constraints, 'constraints'),
    ...termFaults(form.prefer, 'prefer'),
    ...envFaults(form.env),
    ...mountFaults(form.mounts),
  ];
}

/** Null: the image's own. */
function commandOf({ commandForm, shell, words }: FormState): string | string[] | null {
  // A row that was begun and left empty is no program.
  if (commandForm === 'exec') return words.some((word) => word !== '') ? [...words] : null;
  return shell.trim() === '' ? null : shell;
}

/** They mean something only where the task is tried again after an exit code. */
function codesOf({ retryOn, exitCodes }: FormState): number[] {
  if (exitCodes.trim() === '' || !retryOn.includes('exit_code')) return [];
  return exitCodes.split(',').map(numberOf);
}

/** NaN unless the text is one number. */
export function numberOf(text: string): number {
  const bare = text.trim().replace(',', '.');
  return /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i.test(bare) ? Number(bare) : Number.NaN;
}

function megabytesOf({ text, unit }: Measure<SizeUnit>): number {
  return numberOf(text) * MB_PER[unit];
}

/** Whole seconds, as the API takes them. */
function secondsOf({ text, unit }: Measure<TimeUnit>): number {
  const seconds = numberOf(text) * SECONDS_PER[unit];
  return unit === 'seconds' ? seconds : Math.round(seconds);
}

/** In GB where that is a short number. */
export function sizeOf(megabytes: number): Measure<SizeUnit> {
  const isShort = megabytes >= 1_024 && (megabytes * 4) % 1_024 === 0;
  return isShort
    ? { text: plainNumber(megabytes / 1_024), unit: 'GB' }
    : { text: plainNumber(megabytes), unit: 'MB' };
}

/** In the largest unit that needs no fraction. */
function timeOf(seconds: number): Measure<TimeUnit> {
  const unit =
    seconds === 0
      ? 'minutes'
      : (TIME_UNITS.toReversed().find((one) => seconds % SECONDS_PER[one] === 0) ?? 'seconds');
  return { text: plainNumber(seconds / SECONDS_PER[unit]), unit };
}

function plainNumber(value: number): string {
  return Number.isFinite(value) ? String(value) : '';
}
