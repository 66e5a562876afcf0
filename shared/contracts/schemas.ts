// What the REST API accepts, as Joi schemas. Every fault of a body is reported, not only the first.

import Joi from 'joi';
import { filePathFault, pathClash } from '../model/file-path.ts';
import { DEFAULT_RETRY_DELAY_SECONDS, DEFAULT_RETRY_ON } from '../model/retry.ts';
import { NETWORKS, PULL_POLICIES, TASK_STATES } from '../model/task.ts';
import { DEFAULT_WEBHOOK_EVENTS, WEBHOOK_EVENTS } from '../model/webhook.ts';
import { WORKER_ID_PATTERN } from '../model/worker.ts';
import { addressText, readWorkerAddress } from '../model/worker-address.ts';
import { ADOPTION_PORT } from './adoption.ts';
import type { CredentialsBody, SubmitBody, TaskStatesRequest } from './http.ts';
import { labelTermsSchema } from './label-schemas.ts';
import { mountsSchema } from './mount-schemas.ts';
import { exitCodesSchema, retryOnSchema } from './retry-schemas.ts';
import type { CancelManyBody } from './task-lists.ts';
import type { WebhookTargetBody } from './webhooks.ts';
import type { DrainBody, RegisterWorkerBody } from './workers.ts';

/** Limits are far above any real machine: they catch slips of the keyboard, not big requests. */
export const LIMITS = {
  cpuCores: 4_096,
  memoryMb: 16_777_216,
  gpus: 1_024,
  storageMb: 1_073_741_824,
  /** Characters of a command in shell form, or of all words of one in exec form. */
  commandChars: 131_072,
  commandWords: 4_096,
  envEntries: 256,
  /** Characters of all names and values together. */
  envChars: 131_072,
  timeoutSeconds: 31_536_000,
  maxRetries: 100,
  retryDelaySeconds: 86_400,
  queueTimeoutSeconds: 31_536_000,
  batch: 1_000,
  files: 1_000,
} as const;

/**
 * An image reference: `[host[:port]/]path[:tag][@digest]`, as in the grammar of distribution/reference.
 * The name part is lower case; host and tag may hold capitals.
 */
const IMAGE_REFERENCE =
  /^(?:(?:[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]*[a-zA-Z0-9])?)*(?::\d{1,5})?\/)?[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*(?:\/[a-z0-9]+(?:(?:\.|_{1,2}|-+)[a-z0-9]+)*)*(?::\w[\w.-]{0,127})?(?:@[a-z0-9]+(?:[+._-][a-z0-9]+)*:[0-9a-fA-F]{32,})?$/;

const image = Joi.string().max(512).pattern(IMAGE_REFERENCE).required().messages({
  'string.empty': '"docker_image" must name an image, for example "ubuntu:latest"',
  'any.required': '"docker_image" is required, for example "ubuntu:latest"',
  'string.pattern.base':
    '"docker_image" must be an image reference such as "ubuntu:latest" or "registry.example.com/team/app:1.2"',
});

const noNul = /^[^\0]*$/;
const shellCommand = Joi.string().max(LIMITS.commandChars).pattern(noNul, 'text without NUL characters');
const execCommand = Joi.array()
  .items(Joi.string().allow('').max(LIMITS.commandChars).pattern(noNul, 'text without NUL characters'))
  .min(1)
  .max(LIMITS.commandWords)
  .custom((words: string[], helpers) =>
    words.reduce((sum, word) => sum + word.length, 0) > LIMITS.commandChars
      ? helpers.error('command.long', { limit: LIMITS.commandChars })
      : words,
  )
  .messages({ 'command.long': '{{#label}} must be at most {{#limit}} characters in all' });

const env = Joi.object()
  .pattern(
    /^[A-Za-z_][A-Za-z0-9_]{0,255}$/,
    Joi.string().allow('').pattern(noNul, 'text without NUL characters'),
  )
  .max(LIMITS.envEntries)
  .custom((entries: Record<string, string>, helpers) =>
    Object.entries(entries).reduce((sum, [name, value]) => sum + name.length + value.length, 0) >
    LIMITS.envChars
      ? helpers.error('env.long', { limit: LIMITS.envChars })
      : entries,
  )
  .messages({
    'env.long': '{{#label}} must be at most {{#limit}} characters in all',
    'object.unknown': '{{#label}} is not a name of an environment variable: letters, digits and _ only',
  });

const label = Joi.string()
  .allow('')
  .max(128)
  .pattern(/^[^\p{Cc}]*$/u, 'text without control characters');

/** A relative path in a user's file space. */
export const filePath = Joi.string()
  .custom((path: string, helpers) => {
    const fault = filePathFault(path);
    return fault === null ? path : helpers.error('path.unsafe', { fault });
  })
  .messages({ 'path.unsafe': '{{#label}} must be {{#fault}}' });

/** Inputs of a task: they are to lie in one folder together. */
const inputFiles = Joi.array()
  .items(filePath)
  .unique()
  .max(LIMITS.files)
  .custom((paths: string[], helpers) => {
    const clash = pathClash(paths);
    return clash === null ? paths : helpers.error('paths.clash', clash);
  })
  .messages({
    'paths.clash': '{{#label}} cannot hold both {{#file}} and {{#below}}: one is the folder of the other',
  });

/** Only the form; whether the address may be reached is decided when it is. */
export const webhookTarget = Joi.object<WebhookTargetBody>({
  url: Joi.string()
    .max(2_048)
    .uri({ scheme: ['http', 'https'] })
    .required(),
  events: Joi.array()
    .items(Joi.string().valid(...WEBHOOK_EVENTS))
    .unique()
    .min(1)
    .default([...DEFAULT_WEBHOOK_EVENTS]),
});

export const submitSchema = Joi.object<SubmitBody>({
  docker_image: image,
  command: Joi.alternatives()
    // biome-ignore lint/suspicious/noThenProperty: it is Joi's word, and nothing awaits this.
    .conditional(Joi.array(), { then: execCommand, otherwise: shellCommand.allow(null) })
    .default(null),
  cpu_required: Joi.number().min(0.01).max(LIMITS.cpuCores).precision(3).default(1),
  memory_required: Joi.number().min(6).max(LIMITS.memoryMb).default(512),
  gpu_required: Joi.number().integer().min(0).max(LIMITS.gpus).default(0),
  storage_required: Joi.number().min(0).max(LIMITS.storageMb).default(0),
  tag: label.default(''),
  k_value: Joi.number().min(1).max(1_000).default(3),
  name: label.default(''),
  env: env.default({}),
  priority: Joi.number().integer().min(0).max(9).default(5),
  timeout_seconds: Joi.number().integer().min(0).max(LIMITS.timeoutSeconds).default(0),
  max_retries: Joi.number().integer().min(0).max(LIMITS.maxRetries).default(0),
  retry_on: retryOnSchema.default([...DEFAULT_RETRY_ON]),
  retry_on_exit_codes: exitCodesSchema.default([]),
  retry_delay_seconds: Joi.number()
    .integer()
    .min(0)
    .max(LIMITS.retryDelaySeconds)
    .default(DEFAULT_RETRY_DELAY_SECONDS),
  queue_timeout_seconds: Joi.number().integer().min(0).max(LIMITS.queueTimeoutSeconds).default(0),
  worker: Joi.string().allow('').pattern(WORKER_ID_PATTERN, 'a worker id').default(''),
  constraints: labelTermsSchema.default({}),
  prefer: labelTermsSchema.default({}),
  files: inputFiles.default([]),
  mounts: mountsSchema.default([]),
  secrets: Joi.array().items(Joi.string().max(256)).unique().max(LIMITS.envEntries).default([]),
  pull_policy: Joi.string()
    .valid(...PULL_POLICIES)
    .default('if-missing'),
  network: Joi.string()
    .valid(...NETWORKS)
    .default('bridge'),
  webhook: webhookTarget.allow(null).default(null),
})
  .required()
  .custom((body: SubmitBody, helpers) => {
    const unnamed = body.secrets.filter((name) => !Object.hasOwn(body.env, name));
    if (unnamed.length > 0) return helpers.error('secrets.unnamed', { names: unnamed.join(', ') });
    const isIdle = body.retry_on_exit_codes.length > 0 && !body.retry_on.includes('exit_code');
    return isIdle ? helpers.error('retry.idle') : body;
  })
  .messages({
    'secrets.unnamed': '"secrets" must name entries of "env"; not there: {{#names}}',
    'retry.idle': '"retry_on_exit_codes" means nothing unless "retry_on" names exit_code',
    'object.unknown': '{{#label}} is not a known field',
    'object.base': 'the body must be a JSON object',
    'any.required': '{{#label}} is required',
  })
  .meta({ name: 'SubmitRequest' });

export const batchSchema = Joi.object<{ tasks: SubmitBody[] }>({
  // Not `required` here: for Joi that would mean one of the items, a second fault of an empty list.
  tasks: Joi.array().items(submitSchema.optional()).min(1).max(LIMITS.batch).required(),
}).required();

export const taskIdSchema = Joi.string()
  .pattern(/^task-[0-9a-hjkmnp-tv-z]{26}$/)
  .required()
  .messages({
    'string.pattern.base': '{{#label}} must be a task id such as task-01jd8x2b9q3v5w7y8z0a1c2d3e',
  });

export const taskStatesSchema = Joi.object<TaskStatesRequest>({
  task_ids: Joi.array().items(taskIdSchema.optional()).min(1).max(LIMITS.batch).required(),
}).required();

export const taskIdParams = Joi.object<{ id: string }>({ id: taskIdSchema });

export const tokenIdParams = Joi.object<{ id: string }>({ id: Joi.string().max(64).required() });

export const workerIdParams = Joi.object<{ id: string }>({
  id: Joi.string().pattern(WORKER_ID_PATTERN, 'a worker id').required(),
});

/** The address comes out with its port and in its one spelling. */
export const registerWorkerSchema = Joi.object<RegisterWorkerBody>({
  id: Joi.string().pattern(WORKER_ID_PATTERN).required().messages({
    'string.pattern.base':
      '"id" must be 1 to 63 letters, digits, ".", "_" and "-" and begin with a letter or digit, for example "worker-3"',
  }),
  address: Joi.string()
    .max(300)
    .custom((text: string, helpers) => {
      const found = readWorkerAddress(text, ADOPTION_PORT);
      return found.ok ? addressText(found.address) : helpers.error('address.form', { fault: found.fault });
    })
    .required()
    .messages({ 'address.form': '{{#label}} {{#fault}}' }),
}).required();

const DRAIN_MAX_SECONDS = 30 * 86_400;
const DRAIN_FORM = `{{#label}} must be whole seconds from 0 (at once) to ${DRAIN_MAX_SECONDS} (30 days)`;

export const drainSchema = Joi.object<DrainBody>({
  deadline_seconds: Joi.number().integer().min(0).max(DRAIN_MAX_SECONDS).messages({
    'number.base': DRAIN_FORM,
    'number.integer': DRAIN_FORM,
    'number.min': DRAIN_FORM,
    'number.max': DRAIN_FORM,
    'number.unsafe': DRAIN_FORM,
  }),
}).allow(null);

export const usernameText = Joi.string()
  .pattern(/^[A-Za-z0-9][A-Za-z0-9._-]{1,62}$/)
  .required()
  .messages({
    'string.pattern.base':
      '"username" must be 2 to 63 letters, digits, dots, dashes or underscores and begin with a letter or digit',
  });

export const passwordText = Joi.string().min(8).max(1_024);

export const registerSchema = Joi.object<CredentialsBody>({
  username: usernameText,
  password: passwordText.required(),
}).required();

/** Login takes anything of the right type: a wrong form is just a wrong name or password. */
export const loginSchema = Joi.object<CredentialsBody>({
  username: Joi.string().max(1_024).required(),
  password: Joi.string().max(1_024).required(),
}).required();

export const newTokenSchema = Joi.object<{ name: string }>({
  name: Joi.string().min(1).max(128).required(),
}).required();

export const cancelSchema = Joi.object<{ force: boolean }>({
  force: Joi.boolean().default(false),
})
  .allow(null)
  .default({ force: false });

export const cancelManySchema = Joi.object<CancelManyBody>({
  task_ids: Joi.array().items(taskIdSchema.optional()).min(1).max(LIMITS.batch).required(),
  force: Joi.boolean().default(false),
}).required();

export interface TaskListQuery {
  status?: string[];
  tag?: string;
  user?: string;
  worker?: string;
  q?: string;
  limit: number;
  cursor?: string;
  view: 'full' | 'summary';
}

/** `status=running` or `status=running,queued`. */
export const taskListSchema = Joi.object<TaskListQuery>({
  status: Joi.string().custom((text: string, helpers) => {
    const states = text.split(',');
    return states.every((state) => (TASK_STATES as readonly string[]).includes(state))
      ? states
      : helpers.error('status.unknown', { known: TASK_STATES.join(', ') });
  }),
  tag: Joi.string().max(128),
  user: Joi.string().max(64),
  worker: Joi.string().max(64),
  q: Joi.string().max(256),
  limit: Joi.number().integer().min(1).max(1_000).default(50),
  cursor: taskIdSchema.optional(),
  view: Joi.string().valid('full', 'summary').default('full'),
}).messages({ 'status.unknown': '{{#label}} must be one or more of {{#known}}, separated by commas' });

export interface QueueQuery {
  limit: number;
  cursor?: { priority: number; id: string };
}

/** A cursor is the place of the last one of the page before, e.g. `5.task-01…`. */
export const queueSchema = Joi.object<QueueQuery>({
  limit: Joi.number().integer().min(1).max(500).default(100),
  cursor: Joi.string()
    .custom((text: string, helpers) => {
      const [, priority, id] = /^([0-9])\.(task-[0-9a-hjkmnp-tv-z]{26})$/.exec(text) ?? [];
      return id === undefined ? helpers.error('cursor.unknown') : { priority: Number(priority), id };
    })
    .messages({ 'cursor.unknown': '{{#label}} must be the "next_cursor" of an earlier page' }),
});

export interface LogsQuery {
  attempt?: number;
  from?: number;
  tail?: number;
  limit?: number;
  stream?: 'stdout' | 'stderr';
  follow: boolean;
  /** Without it the Accept header decides. */
  format?: 'text' | 'ndjson';
}

export const attemptQuerySchema = Joi.object<{ attempt?: number }>({
  attempt: Joi.number().integer().min(1),
});

export const logsSchema = Joi.object<LogsQuery>({
  attempt: Joi.number().integer().min(1),
  from: Joi.number().integer().min(1),
  // 0 with `follow`: only what comes from now on.
  tail: Joi.number()
    .integer()
    .min(0)
    .when('from', {
      is: Joi.exist(),
      // biome-ignore lint/suspicious/noThenProperty: it is Joi's word, and nothing awaits this.
      then: Joi.forbidden().messages({
        'any.unknown': '"tail" cannot go with "from": both say where to begin',
      }),
    }),
  // What is read once; whoever follows has no end.
  limit: Joi.number()
    .integer()
    .min(1)
    .max(100_000)
    .when('follow', {
      is: true,
      // biome-ignore lint/suspicious/noThenProperty: as above.
      then: Joi.forbidden().messages({ 'any.unknown': '"limit" cannot go with "follow"' }),
    }),
  stream: Joi.string().valid('stdout', 'stderr'),
  follow: Joi.boolean().default(false),
  format: Joi.string().valid('text', 'ndjson'),
});

export const idempotencyKeySchema = Joi.string()
  .min(1)
  .max(255)
  .pattern(/^[\x21-\x7e]+$/, 'printable characters without spaces');
