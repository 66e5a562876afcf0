// A task's spec as `POST /api/tasks` takes it. Pure.

import {
  MASKED,
  type SubmitBody,
  type SubmitRequest,
  type TaskBody,
} from '../../../shared/contracts/http.ts';

/** What the API fills in; a test holds them against its schema. */
export const SPEC_DEFAULTS: Omit<SubmitBody, 'docker_image'> = {
  command: null,
  cpu_required: 1,
  memory_required: 512,
  gpu_required: 0,
  storage_required: 0,
  tag: '',
  k_value: 3,
  name: '',
  env: {},
  priority: 5,
  timeout_seconds: 0,
  max_retries: 0,
  worker: '',
  files: [],
  secrets: [],
  pull_policy: 'if-missing',
  network: 'bridge',
  webhook: null,
};

/** @param whole also what is as it would be by itself */
export function specOf(task: TaskBody, { whole }: { readonly whole: boolean }): SubmitRequest {
  const given = Object.entries(SPEC_DEFAULTS).flatMap(([name, usual]) => {
    const value = task[name as keyof typeof SPEC_DEFAULTS];
    return whole || JSON.stringify(value) !== JSON.stringify(usual) ? [[name, value]] : [];
  });
  return { docker_image: task.docker_image, ...Object.fromEntries(given) };
}

/** Names of entries whose values nobody is shown again, so that the spec alone is not enough to run it anew. */
export function hiddenSecrets({ env, secrets }: Pick<TaskBody, 'env' | 'secrets'>): string[] {
  return secrets.filter((name) => env[name] === MASKED);
}
