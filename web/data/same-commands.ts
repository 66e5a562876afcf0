// A task as it would be submitted from elsewhere: JSON, curl, the command line. Pure. Values of secrets are
// never in it.

import type { SubmitBody, SubmitRequest } from '../../shared/contracts/http.ts';
import { labelTerms } from '../../shared/contracts/labels.ts';
import { mountText } from '../../shared/contracts/mounts.ts';
import { DEFAULT_WEBHOOK_EVENTS } from '../../shared/model/webhook.ts';
import { quoteWord, quoteWords } from './shell-words.ts';
import { briefRequest, withoutSecrets } from './task-request.ts';

/** Longer commands get a line for each option. */
const LINE_CHARS = 40;

function shown(body: SubmitBody): SubmitRequest {
  return briefRequest(withoutSecrets(body));
}

export function jsonText(body: SubmitBody, copies = 1): string {
  const brief = shown(body);
  const whole = copies === 1 ? brief : { tasks: Array.from({ length: copies }, () => brief) };
  return JSON.stringify(whole, null, 2);
}

export function curlText(body: SubmitBody, origin: string, copies = 1): string {
  const call = [
    `curl -X POST ${quoteWord(`${origin}/api/tasks`)}`,
    '-H "Authorization: Bearer $CLOUDAI_TOKEN"',
    `-H 'Content-Type: application/json'`,
    `-d ${quoteWord(JSON.stringify(shown(body)))}`,
  ].join(' \\\n  ');
  return copies === 1 ? call : `for n in $(seq ${copies}); do\n${call}\ndone`;
}

/** @returns the command, and what it cannot say */
export function cliText(body: SubmitBody, copies = 1): { text: string; notes: string[] } {
  const brief = shown(body);
  const notes: string[] = [];
  const parts = [
    brief.worker
      ? `npx cloudai dispatch ${quoteWords([brief.worker, body.docker_image])}`
      : `npx cloudai task ${quoteWord(body.docker_image)}`,
  ];
  const option = (name: string, value: string | number | undefined) => {
    if (value === undefined) return;
    const text = String(value);
    // What begins with a dash would be taken for the next option.
    parts.push(text.startsWith('-') ? `-${name}=${quoteWord(text)}` : `-${name} ${quoteWord(text)}`);
  };
  option('name', brief.name);
  option('cpu_cores', brief.cpu_required);
  option('mem', gigabytes(brief.memory_required));
  option('gpu_cores', brief.gpu_required);
  option('storage', gigabytes(brief.storage_required));
  option('tag', brief.tag);
  option('k', brief.k_value);
  option('priority', brief.priority);
  option('timeout', brief.timeout_seconds);
  option('queue_timeout', brief.queue_timeout_seconds);
  option('retries', brief.max_retries);
  option('retry_on', brief.retry_on?.join(','));
  option('retry_on_exit_codes', brief.retry_on_exit_codes?.join(','));
  option('retry_delay', brief.retry_delay_seconds);
  option('network', brief.network);
  option('pull', brief.pull_policy);
  for (const [name, values] of Object.entries(labelTerms(body.constraints))) {
    option('constraint', `${name}=${values.join(',')}`);
  }
  for (const [name, values] of Object.entries(labelTerms(body.prefer))) {
    option('prefer', `${name}=${values.join(',')}`);
  }
  for (const [name, value] of Object.entries(body.env)) {
    if (body.secrets.includes(name)) option('secret', name);
    else option('env', `${name}=${value}`);
  }
  for (const path of body.files) option('file', path);
  for (const mount of body.mounts ?? []) option('mount', mountText(mount));
  if (body.secrets.length > 0) {
    notes.push(
      `The value of ${body.secrets.join(', ')} is taken from the variable of that name in your shell.`,
    );
  }
  if (body.webhook) {
    option('webhook', body.webhook.url);
    if (JSON.stringify(body.webhook.events) !== JSON.stringify(DEFAULT_WEBHOOK_EVENTS)) {
      notes.push('The command tells the webhook of the end of a task only; other events take the API.');
    }
  }
  if (typeof brief.command === 'string') option('cmd', brief.command);
  else if (brief.command) parts.push(`-- ${quoteWords(brief.command)}`);
  const call = parts.join(parts.join(' ').length > LINE_CHARS ? ' \\\n  ' : ' ');
  return { text: copies === 1 ? call : `for n in $(seq ${copies}); do\n${call}\ndone`, notes };
}

function gigabytes(megabytes: number | undefined): string | undefined {
  return megabytes === undefined ? undefined : String(megabytes / 1_024);
}
