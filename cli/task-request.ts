// Turns the options of `task` and `dispatch` into the body the API takes. Pure.
// Memory and storage are GB on the command line and MB on the wire.

import type { SubmitRequest } from '../shared/contracts/http.ts';
import type { LabelTermsBody } from '../shared/contracts/labels.ts';
import type { MountBody } from '../shared/contracts/mounts.ts';
import type { PullPolicy, RetryReason, TaskNetwork } from '../shared/model/task.ts';
import { DEFAULT_WEBHOOK_EVENTS } from '../shared/model/webhook.ts';
import { CliError, EXIT } from './exit.ts';

export interface TaskOptions {
  readonly name?: string;
  readonly cpu_cores?: number;
  /** GB. */
  readonly mem?: number;
  readonly gpu_cores?: number;
  /** GB. */
  readonly storage?: number;
  readonly k_value?: number;
  readonly tag?: string;
  readonly constraint?: LabelTermsBody;
  readonly prefer?: LabelTermsBody;
  readonly priority?: number;
  readonly env?: readonly string[];
  readonly secret?: readonly string[];
  /** Paths of uploads. */
  readonly file?: readonly string[];
  readonly mount?: readonly MountBody[];
  readonly timeout?: number;
  readonly retries?: number;
  /** As typed: the API says what is none. */
  readonly retry_on?: readonly string[];
  readonly retry_on_exit_codes?: readonly number[];
  /** Seconds. */
  readonly retry_delay?: number;
  /** Seconds. */
  readonly queue_timeout?: number;
  readonly network?: TaskNetwork;
  readonly pull?: PullPolicy;
  readonly cmd?: string;
  readonly webhook?: string;
}

type Environment = Readonly<Record<string, string | undefined>>;

/**
 * `words` is what came after `--` (exec form). Only what was said is in the body; the API fills in the rest.
 * @throws {CliError} for a command in both forms or an entry without a value.
 */
export function taskRequest(
  image: string,
  options: TaskOptions,
  words: readonly string[] | null,
  environment: Environment,
  worker?: string,
): SubmitRequest {
  if (options.cmd !== undefined && words !== null) {
    throw new CliError(
      EXIT.usage,
      'the command is given twice: by -cmd and after "--"',
      'Use -cmd for a line of shell, or "--" for a program and its arguments.',
    );
  }
  if (words !== null && words.length === 0) {
    throw new CliError(
      EXIT.usage,
      'there is no command after "--"',
      'Leave "--" out to run the image’s own command.',
    );
  }
  const env = pairs('env', options.env ?? [], environment);
  const secrets = pairs('secret', options.secret ?? [], environment);
  const body: { -readonly [K in keyof SubmitRequest]: SubmitRequest[K] } = { docker_image: image };
  const command = options.cmd ?? (words === null ? undefined : [...words]);
  if (command !== undefined) body.command = command;
  if (options.name !== undefined) body.name = options.name;
  if (options.cpu_cores !== undefined) body.cpu_required = options.cpu_cores;
  if (options.mem !== undefined) body.memory_required = gigabytesToMb(options.mem);
  if (options.gpu_cores !== undefined) body.gpu_required = options.gpu_cores;
  if (options.storage !== undefined) body.storage_required = gigabytesToMb(options.storage);
  if (options.k_value !== undefined) body.k_value = options.k_value;
  if (options.tag !== undefined) body.tag = options.tag;
  if (options.constraint !== undefined) body.constraints = options.constraint;
  if (options.prefer !== undefined) body.prefer = options.prefer;
  if (options.priority !== undefined) body.priority = options.priority;
  if (options.file !== undefined) body.files = [...options.file];
  if (options.mount !== undefined) body.mounts = [...options.mount];
  if (options.timeout !== undefined) body.timeout_seconds = options.timeout;
  if (options.retries !== undefined) body.max_retries = options.retries;
  if (options.retry_on !== undefined) body.retry_on = [...options.retry_on] as RetryReason[];
  if (options.retry_on_exit_codes !== undefined) body.retry_on_exit_codes = [...options.retry_on_exit_codes];
  if (options.retry_delay !== undefined) body.retry_delay_seconds = options.retry_delay;
  if (options.queue_timeout !== undefined) body.queue_timeout_seconds = options.queue_timeout;
  if (options.network !== undefined) body.network = options.network;
  if (options.pull !== undefined) body.pull_policy = options.pull;
  if (options.webhook !== undefined) {
    body.webhook = { url: options.webhook, events: [...DEFAULT_WEBHOOK_EVENTS] };
  }
  if (worker !== undefined) body.worker = worker;
  if (env.size + secrets.size > 0) body.env = Object.fromEntries([...env, ...secrets]);
  if (secrets.size > 0) body.secrets = [...secrets.keys()];
  return body;
}

function gigabytesToMb(gigabytes: number): number {
  return Math.round(gigabytes * 1024);
}

/** `NAME=VALUE`, or `NAME` alone for the value it has in the caller's environment. */
function pairs(option: string, entries: readonly string[], environment: Environment): Map<string, string> {
  return new Map(
    entries.map((entry) => {
      const at = entry.indexOf('=');
      if (at > 0) return [entry.slice(0, at), entry.slice(at + 1)];
      const value = at === 0 ? undefined : environment[entry];
      if (value === undefined) {
        throw new CliError(
          EXIT.usage,
          // A secret may be what stands here, so it is not repeated.
          option === 'secret' ? 'a -secret entry has no value' : `-env ${entry} has no value`,
          `Write -${option} NAME=VALUE, or -${option} NAME for a variable that is set in this shell.`,
        );
      }
      return [entry, value];
    }),
  );
}
