// Which fault belongs to which field. Pure.

import type { ErrorDetail } from '../../../shared/errors.ts';
import type { FormState } from './form-state.ts';

/** The API's names of what a part of the form becomes. */
const FIELDS: Readonly<Record<keyof FormState, readonly string[]>> = {
  image: ['docker_image'],
  commandForm: ['command'],
  shell: ['command'],
  words: ['command'],
  env: ['env', 'secrets'],
  cpu: ['cpu_required'],
  memory: ['memory_required'],
  gpu: ['gpu_required'],
  storage: ['storage_required'],
  worker: ['worker'],
  constraints: ['constraints'],
  prefer: ['prefer'],
  priority: ['priority'],
  retries: ['max_retries'],
  timeout: ['timeout_seconds'],
  retryOn: ['retry_on'],
  exitCodes: ['retry_on_exit_codes'],
  retryDelay: ['retry_delay_seconds'],
  queueTimeout: ['queue_timeout_seconds'],
  network: ['network'],
  pullPolicy: ['pull_policy'],
  k: ['k_value'],
  files: ['files'],
  mounts: ['mounts'],
  webhookUrl: ['webhook'],
  webhookEvents: ['webhook'],
  name: ['name'],
  tag: ['tag'],
};
const SHOWN = Object.values(FIELDS).flat();

/** Of a field and its parts: the API names these `env.A`, `command[2]`. */
export function faultsAt(faults: readonly ErrorDetail[], ...fields: string[]): string[] {
  return faults.filter(({ field }) => fields.some((name) => isAt(field, name))).map(({ message }) => message);
}

/** Those that no field of the form shows. */
export function faultsElsewhere(faults: readonly ErrorDetail[]): string[] {
  return faults.filter(({ field }) => !SHOWN.some((name) => isAt(field, name))).map(({ message }) => message);
}

/** What is left when a part of the form was changed. */
export function faultsAfter(faults: readonly ErrorDetail[], changed: Partial<FormState>): ErrorDetail[] {
  const touched = (Object.keys(changed) as (keyof FormState)[]).flatMap((key) => FIELDS[key]);
  return faults.filter(({ field }) => !touched.some((name) => isAt(field, name)));
}

/** Of many copies of one task each has the same faults: they are told once, as of the one task. */
export function ofOneTask(details: readonly ErrorDetail[]): ErrorDetail[] {
  const bare = (text: string) => text.replace(/tasks(?:\[\d+\]|\.\d+)\.?/g, '');
  const once = new Map(
    details.map(({ field, message }) => {
      const detail = { field: bare(field), message: bare(message) };
      return [`${detail.field}\n${detail.message}`, detail];
    }),
  );
  return [...once.values()];
}

function isAt(field: string, name: string): boolean {
  return field === name || field.startsWith(`${name}.`) || field.startsWith(`${name}[`);
}
