// Where messages of cloudai.proto meet the bodies of REST: the few places in which both are not alike by name. Times and
// states are turned by the API, by the types of the fields. Never checks anything (see grpc-schemas.ts).

import type { StateChange } from '../model/state-changes.ts';
import type { SubmitRequest, TaskBody } from './http.ts';
import type { LabelTermsBody } from './labels.ts';

export const GRPC_SERVICE = 'cloudai.v1.CloudAI';

type LabelValues = Record<string, { values?: string[] }>;
interface Words {
  words?: string[];
}

/** As it comes from the wire: what is absent there is absent here. */
export interface SubmitTaskMessage
  extends Omit<SubmitRequest, 'command' | 'constraints' | 'prefer' | 'webhook'> {
  command?: string;
  command_words?: Words;
  constraints?: LabelValues;
  prefer?: LabelValues;
  webhook?: { url?: string; events?: string[] };
  idempotency_key?: string;
}

export interface ListTasksMessage {
  status?: string[];
  tag?: string;
  user?: string;
  worker?: string;
  q?: string;
  limit?: number;
  cursor?: string;
}

export interface WatchTaskMessage {
  task_id: string;
  attempt?: number;
  from_seq?: number;
  from_state?: number;
}

/** Where a watcher goes on. */
export interface WatchPositionMessage {
  attempt: number;
  from_seq: number;
  from_state: number;
}

/** What `POST /api/tasks` would be sent, unchecked. */
export function submitBodyOf(message: SubmitTaskMessage): Record<string, unknown> {
  const { command, command_words: words, constraints, prefer, idempotency_key: _, ...same } = message;
  return {
    ...same,
    ...(words ? { command: words.words ?? [] } : command === undefined ? {} : { command }),
    ...(constraints ? { constraints: termsOf(constraints) } : {}),
    ...(prefer ? { prefer: termsOf(prefer) } : {}),
  };
}

/** What `GET /api/tasks` would be asked, unchecked. */
export function listQueryOf({ status = [], ...same }: ListTasksMessage): Record<string, unknown> {
  return status.length === 0 ? same : { ...same, status: status.map(stateText).join(',') };
}

export function taskMessage({ command, constraints, prefer, ...same }: TaskBody): object {
  return {
    ...same,
    ...(typeof command === 'string' ? { command } : {}),
    ...(Array.isArray(command) ? { command_words: { words: command } } : {}),
    constraints: valuesOf(constraints),
    prefer: valuesOf(prefer),
  };
}

export function stateChangeMessage(change: StateChange): object {
  return {
    number: change.number,
    state: change.state,
    at: new Date(change.at).toISOString(),
    attempt: change.attempt,
    worker_id: change.workerId,
    message: change.message,
    reason: change.reason,
    exit_code: change.exitCode,
  };
}

/** The name of a value of the enum `TaskState` or `LogStream` or `WorkerState`. */
export function enumName(type: string, text: string): string {
  return `${type.replace(/(?<=[a-z])(?=[A-Z])/g, '_')}_${text}`.toUpperCase();
}

/** A number that is no state, or the one for "not given", stays as it is, for the check to refuse. */
function stateText(name: string | number): string {
  return String(name)
    .replace(/^TASK_STATE_/, '')
    .toLowerCase();
}

function termsOf(message: LabelValues): LabelTermsBody {
  return Object.fromEntries(Object.entries(message).map(([name, { values = [] }]) => [name, values]));
}

function valuesOf(terms: LabelTermsBody): LabelValues {
  return Object.fromEntries(
    Object.entries(terms).map(([name, values]) => [
      name,
      { values: typeof values === 'string' ? [values] : values },
    ]),
  );
}
