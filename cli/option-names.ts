// What the API says of fields, in the words that were typed: `-mem` and not "memory_required". Pure.

import { ApiError } from '../client/client.ts';

const TYPED: Readonly<Record<string, string>> = {
  docker_image: '<image>',
  command: 'the command',
  cpu_required: '-cpu_cores',
  memory_required: '-mem (in MB)',
  gpu_required: '-gpu_cores',
  storage_required: '-storage (in MB)',
  k_value: '-k',
  max_retries: '-retries',
  timeout_seconds: '-timeout',
  retry_on: '-retry_on',
  retry_on_exit_codes: '-retry_on_exit_codes',
  retry_delay_seconds: '-retry_delay',
  queue_timeout_seconds: '-queue_timeout',
  pull_policy: '-pull',
  files: '-file',
  mounts: '-mount',
  env: '-env',
  secrets: '-secret',
  webhook: '-webhook',
  worker: '<worker>',
  constraints: '-constraint',
  prefer: '-prefer',
  name: '-name',
  tag: '-tag',
  priority: '-priority',
  deadline_seconds: '--deadline',
  'quota.unfinished_tasks': '--max-tasks',
  'quota.upload_storage': '--max-storage',
  'quota.cpu': '--max-cores',
  'quota.memory': '--max-memory',
  'quota.gpu': '--max-gpus',
  'quota.rate_limit_reads': '--max-reads',
  'quota.rate_limit_writes': '--max-writes',
};

/** The same refusal in words of the command line; any other error as it is. */
export function inTypedWords(error: unknown): unknown {
  if (!(error instanceof ApiError) || error.status !== 400) return error;
  const details = error.details.map(({ field, message }) => ({ field, message: renamed(message) }));
  return new ApiError(error.status, error.code, renamed(error.message), details, error.retryAfterSeconds);
}

function typedOf(field: string): string | undefined {
  return Object.hasOwn(TYPED, field) ? TYPED[field] : undefined;
}

/** `"webhook.url"` names a part of a field, `"files[2]"` one of several. */
function renamed(text: string): string {
  return text.replaceAll(/"([a-z_]+)(?:\[\d+\])?((?:\.[^"]*)?)"/g, (quoted, field: string, part: string) => {
    const whole = typedOf(`${field}${part}`);
    if (whole !== undefined) return whole;
    const typed = typedOf(field);
    if (typed === undefined) return quoted;
    return part === '' ? typed : `${typed} ${part.slice(1)}`;
  });
}
