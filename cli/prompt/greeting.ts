// The lines a prompt opens with: which cluster, who is signed in, what goes on there. Never keeps the prompt from opening.

import { ApiError, ConnectionError } from '../../client/client.ts';
import type { UserBody } from '../../shared/contracts/http.ts';
import type { TelemetryReply } from '../../shared/contracts/workers.ts';
import { CliError, complaintOf } from '../exit.ts';
import type { CliIo } from '../io.ts';
import { type GlobalOptions, Session } from '../session.ts';
import { plain } from '../table.ts';

/** A cluster that takes longer is greeted as one that does not answer. */
const DEADLINE_MS = 2_000;

export async function greet(io: CliIo, options: GlobalOptions): Promise<string> {
  try {
    return await ask(await Session.open(io, options));
  } catch (error) {
    const { message, advice } = complaintOf(error);
    return [plain(message), ...(advice && error instanceof CliError ? [advice] : []), HOW_TO].join('\n');
  }
}

async function ask({ client, url }: Session): Promise<string> {
  const signal = AbortSignal.timeout(DEADLINE_MS);
  const [user, telemetry] = await Promise.allSettled([client.me({ signal }), client.telemetry({ signal })]);
  return greeting(url, outcome(user), outcome(telemetry));
}

export type Outcome<T> = { readonly value: T } | { readonly error: unknown };

function outcome<T>(settled: PromiseSettledResult<T>): Outcome<T> {
  return settled.status === 'fulfilled' ? { value: settled.value } : { error: settled.reason };
}

const HOW_TO = '"help" lists the commands, Tab completes, Ctrl-D leaves.';

function greeting(url: string, user: Outcome<UserBody>, telemetry: Outcome<TelemetryReply>): string {
  if ('error' in user && !(user.error instanceof ApiError)) {
    const why = user.error instanceof ConnectionError ? user.error.message : `${url} does not answer`;
    return `${plain(why)}.\n${HOW_TO}`;
  }
  return `CloudAI at ${url}, ${who(user)}${what(telemetry)}.\n${HOW_TO}`;
}

function who(user: Outcome<UserBody>): string {
  if ('value' in user) return `signed in as ${plain(user.value.username)} (${user.value.role})`;
  const { status } = user.error as ApiError;
  return status === 401 ? 'not signed in (login, or register-user)' : 'which has trouble now';
}

function what(telemetry: Outcome<TelemetryReply>): string {
  if ('error' in telemetry) return '';
  const { workers_by_state, tasks_by_state } = telemetry.value;
  const workers = Object.values(workers_by_state).reduce((sum, count) => sum + count, 0);
  const { ready } = workers_by_state;
  const { running, queued, assigned } = tasks_by_state;
  const some = workers === 1 ? '1 worker' : `${workers} workers`;
  return `: ${some}${ready === workers ? '' : ` (${ready} ready)`}, ${running} running, ${queued + assigned} waiting`;
}
