// A task as people read it: only what is not as it would be by itself. Pure.

import { MASKED, type SubmitBody, type SubmitRequest, type TaskBody } from '../../shared/contracts/http.ts';
import { SUBMIT_DEFAULTS } from '../../shared/contracts/submit-defaults.ts';

/** Only what differs from the defaults. */
export function briefRequest(body: SubmitBody): SubmitRequest {
  const said = Object.entries(SUBMIT_DEFAULTS).flatMap(([name, usual]) => {
    const value = body[name as keyof typeof SUBMIT_DEFAULTS];
    return JSON.stringify(value) === JSON.stringify(usual) ? [] : [[name, value]];
  });
  return { docker_image: body.docker_image, ...Object.fromEntries(said) };
}

/** What a task was submitted with, defaults and all. Values of secrets are masked. */
export function wholeRequest(task: TaskBody): SubmitBody {
  const names = Object.keys(SUBMIT_DEFAULTS) as (keyof typeof SUBMIT_DEFAULTS)[];
  const said = Object.fromEntries(names.map((name) => [name, task[name]]));
  return { ...(said as unknown as SubmitBody), docker_image: task.docker_image };
}

export function withoutSecrets(body: SubmitBody): SubmitBody {
  const env = Object.entries(body.env).map(([name, value]) => [
    name,
    body.secrets.includes(name) ? MASKED : value,
  ]);
  return { ...body, env: Object.fromEntries(env) };
}

/** Names of entries whose values nobody is shown again, so that the spec alone is not enough to run it anew. */
export function hiddenSecrets({ env, secrets }: Pick<TaskBody, 'env' | 'secrets'>): string[] {
  return secrets.filter((name) => env[name] === MASKED);
}
