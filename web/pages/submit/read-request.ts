// A task as JSON from outside (a preset, something pasted) or from an address, checked for its types so that the form can
// show it. Pure. Whether the values are allowed is for the API to say.

import type { SubmitRequest, TaskBody } from '../../../shared/contracts/http.ts';
import { readMountText } from '../../../shared/contracts/mounts.ts';
import { NETWORKS, PULL_POLICIES, RETRY_REASONS } from '../../../shared/model/task.ts';
import { WEBHOOK_EVENTS } from '../../../shared/model/webhook.ts';

export interface ReadRequest {
  readonly request: SubmitRequest;
  /** What was left out, in words. */
  readonly faults: readonly string[];
}

type Check = (value: unknown) => boolean;

const isText: Check = (value) => typeof value === 'string';
const isNumber: Check = (value) => typeof value === 'number' && Number.isFinite(value);
const isTexts: Check = (value) => Array.isArray(value) && value.every(isText);
const oneOf =
  (values: readonly string[]): Check =>
  (value) =>
    values.some((known) => known === value);
const isListOf =
  (check: Check): Check =>
  (value) =>
    Array.isArray(value) && value.every(check);
const isTextRecord: Check = (value) =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && Object.values(value).every(isText);
const isTerms: Check = (value) =>
  typeof value === 'object' &&
  value !== null &&
  !Array.isArray(value) &&
  Object.values(value).every((values) => isText(values) || (isTexts(values) && (values as []).length > 0));
const isWebhook: Check = (value) => {
  if (value === null) return true;
  const { url, events } = (typeof value === 'object' ? value : {}) as { url?: unknown; events?: unknown };
  return (
    isText(url) && (events === undefined || (Array.isArray(events) && events.every(oneOf(WEBHOOK_EVENTS))))
  );
};

const isMounts: Check = (value) =>
  Array.isArray(value) &&
  value.every((one: unknown) => {
    const { source, target, read_only } = (typeof one === 'object' && one ? one : {}) as Record<
      string,
      unknown
    >;
    return isText(source) && isText(target) && (read_only === undefined || typeof read_only === 'boolean');
  });

const FIELDS: Readonly<Record<string, Check>> = {
  docker_image: isText,
  command: (value) => value === null || isText(value) || isTexts(value),
  cpu_required: isNumber,
  memory_required: isNumber,
  gpu_required: isNumber,
  storage_required: isNumber,
  tag: isText,
  k_value: isNumber,
  name: isText,
  env: isTextRecord,
  priority: isNumber,
  timeout_seconds: isNumber,
  max_retries: isNumber,
  retry_on: isListOf(oneOf(RETRY_REASONS)),
  retry_on_exit_codes: isListOf(isNumber),
  retry_delay_seconds: isNumber,
  queue_timeout_seconds: isNumber,
  worker: isText,
  constraints: isTerms,
  prefer: isTerms,
  files: isTexts,
  mounts: isMounts,
  secrets: isTexts,
  pull_policy: oneOf(PULL_POLICIES),
  network: oneOf(NETWORKS),
  webhook: isWebhook,
};

/** A task as the API gives it back has more fields than are sent: those are left out without a word. */
const OF_RECORDS: Readonly<Record<Exclude<keyof TaskBody, keyof SubmitRequest>, true>> = {
  task_id: true,
  status: true,
  reason: true,
  message: true,
  exit_code: true,
  user: true,
  worker_id: true,
  attempt: true,
  attempts: true,
  cancel_requested: true,
  submitted_at: true,
  queued_at: true,
  not_before: true,
  assigned_at: true,
  started_at: true,
  finished_at: true,
  timeline: true,
  sla: true,
  failures: true,
  losses: true,
  max_losses: true,
  expires_at: true,
  kept_until: true,
};

/** Null when it is no object at all. */
export function readRequest(given: unknown): ReadRequest | null {
  if (typeof given !== 'object' || given === null || Array.isArray(given)) return null;
  const faults: string[] = [];
  const entries = Object.entries(given).filter(([name, value]) => {
    const check = Object.hasOwn(FIELDS, name) ? FIELDS[name] : undefined;
    if (check?.(value)) return true;
    if (check) faults.push(`"${name}" is not of the right kind`);
    else if (!Object.hasOwn(OF_RECORDS, name)) faults.push(`"${name}" is not a field of a task`);
    return false;
  });
  const request = { docker_image: '', ...Object.fromEntries(entries) } as SubmitRequest;
  // Secrets that name nothing would be a fault nobody can see in the form.
  const env = request.env ?? {};
  if (request.secrets) request.secrets = request.secrets.filter((name) => Object.hasOwn(env, name));
  return { request, faults };
}

/** JSON that was typed or pasted. @throws {Error} in words for the person */
export function parseRequest(text: string): ReadRequest {
  let given: unknown;
  try {
    given = JSON.parse(text);
  } catch {
    throw new Error('This is not JSON: it must be one object as POST /api/tasks takes it');
  }
  const read = readRequest(given);
  if (!read)
    throw new Error(
      'This must be one object as POST /api/tasks takes it, for example {"docker_image":"python:3.9"}',
    );
  return read;
}

/** The short names that links may use. */
const ALIASES: Readonly<Record<string, string>> = {
  image: 'docker_image',
  file: 'files',
  secret: 'secrets',
  constraint: 'constraints',
  mount: 'mounts',
};

/**
 * What an address says of the task: the names of the API, `image` for short, `arg` for each word of a command in exec
 * form, `env=NAME=VALUE`, `file`, `mount=/from:/to:ro`, `constraint=LABEL=VALUE,VALUE` and `prefer` as often as need be. Null when it says
 * nothing.
 */
export function requestOfQuery(query: URLSearchParams): ReadRequest | null {
  const given: Record<string, unknown> = {};
  const env: Record<string, string> = {};
  const terms: Record<string, Record<string, string | string[]>> = {};
  for (const [key, value] of query) {
    const name = ALIASES[key] ?? key;
    if (name === 'from' || name === 'preset') continue;
    if (name === 'env') {
      const at = value.indexOf('=');
      env[at < 0 ? value : value.slice(0, at)] = at < 0 ? '' : value.slice(at + 1);
    } else if (name === 'constraints' || name === 'prefer') {
      const at = value.indexOf('=');
      const [label, values] = at < 0 ? [value, ''] : [value.slice(0, at), value.slice(at + 1)];
      terms[name] = { ...terms[name], [label]: values.split(/[,|]/) };
    } else if (name === 'files' || name === 'secrets') given[name] = [...listOf(given[name]), value];
    else if (name === 'mounts') given[name] = [...listOf(given[name]), readMountText(value) ?? value];
    else if (name === 'arg') given.command = [...listOf(given.command), value];
    else if (name === 'retry_on') given[name] = value.split(',');
    else if (name === 'retry_on_exit_codes') given[name] = value.split(',').map(Number);
    else if (FIELDS[name] === isNumber) given[name] = value.trim() === '' ? value : Number(value);
    else given[name] = value;
  }
  if (Object.keys(env).length > 0) given.env = env;
  Object.assign(given, terms);
  return Object.keys(given).length === 0 ? null : readRequest(given);
}

function listOf(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
