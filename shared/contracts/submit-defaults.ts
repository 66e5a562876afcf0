// What the API fills in where a submission says nothing. Like http.ts a browser may import this file; a test holds it
// against the schema that really fills it in.

import { DEFAULT_RETRY_DELAY_SECONDS, DEFAULT_RETRY_ON } from '../model/retry.ts';
import type { SubmitBody } from './http.ts';

export const SUBMIT_DEFAULTS: Readonly<Omit<SubmitBody, 'docker_image'>> = {
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
  retry_on: [...DEFAULT_RETRY_ON],
  retry_on_exit_codes: [],
  retry_delay_seconds: DEFAULT_RETRY_DELAY_SECONDS,
  queue_timeout_seconds: 0,
  worker: '',
  constraints: {},
  prefer: {},
  files: [],
  mounts: [],
  secrets: [],
  pull_policy: 'if-missing',
  network: 'bridge',
  webhook: null,
};
