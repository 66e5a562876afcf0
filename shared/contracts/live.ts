// The Socket.io contract: rooms, what a client asks, what it is sent. Times are ISO 8601 strings, as in REST.
//
//   room          who may join                                             events
//   telemetry     as GET /telemetry                                        telemetry, each second
//   tasks         a user for the own tasks, an admin for all               task
//   task:<id>     its owner, an admin                                      task, task:record, task:progress,
//                                                                          task:usage, task:partial, task:log
// A client asks with `subscribe` and gets an acknowledgement. Output of a task comes only to those who ask for it
// (`logs`), from the line they name, without gap or repeat; a client that reads slowly is fed from the log store.

import type { TaskChanged } from '../model/event.ts';
import type { ProgressPhase, TaskProgress } from '../model/progress.ts';
import type { TaskState } from '../model/task.ts';
import type { TaskBody } from './http.ts';
import type { LogLineBody } from './log-lines.ts';
import type { TelemetryReply } from './workers.ts';

export const SOCKET_PATH = '/socket.io/';
export const TELEMETRY_SOCKET_PATH = '/ws/telemetry';

export const TELEMETRY_ROOM = 'telemetry';
export const TASKS_ROOM = 'tasks';
export const taskRoom = (taskId: string): string => `task:${taskId}`;

export type RoomName = 'telemetry' | 'tasks' | `task:${string}`;

export interface SubscribeRequest {
  room: RoomName;
  /** Only for `task:<id>`: send the output, too. */
  logs?: {
    /** First line wanted, of the first attempt that is read; 1 when absent. */
    from?: number;
    /** Begin so many lines before the end instead. */
    tail?: number;
    /** Only this attempt; when absent the current one and those that come after it. */
    attempt?: number;
    /** Go on after this line, and through the attempts that come later: what a client asks that was cut off. */
    after?: { attempt: number; seq: number };
  };
}

export type SubscribeReply =
  | { ok: true; task?: TaskBody; progress?: TaskProgressBody | null }
  | { ok: false; error: SocketRefusal };

export interface UnsubscribeRequest {
  room: RoomName;
}

export type UnsubscribeReply = { ok: true } | { ok: false; error: SocketRefusal };

/** A task has moved: enough to patch a list. Whoever wants the record asks for it. */
export interface TaskEvent {
  task_id: string;
  status: TaskState;
  attempt: number;
  /** Grows with every change of the record. */
  revision: number;
  worker_id: string | null;
  at: string;
}

export interface TaskProgressBody {
  task_id: string;
  attempt: number;
  phase: ProgressPhase;
  percent: number | null;
  message: string;
  layers: { done: number; total: number } | null;
  bytes: { done: number; total: number } | null;
  at: string;
}

export interface TaskUsageEvent {
  task_id: string;
  attempt: number;
  at: string;
  /** Cores in use since the last measurement. */
  cpu: number;
  memory: number;
}

export interface TaskLogEvent {
  task_id: string;
  attempt: number;
  lines: LogLineBody[];
}

/** The line being written, as a terminal would show it. Superseded by the next one and by lines above `after_seq`. */
export interface TaskPartialEvent {
  task_id: string;
  attempt: number;
  stream: 'stdout' | 'stderr';
  after_seq: number;
  text: string;
}

/** All of the output that was asked for has been sent: the task, or the one attempt, is over. */
export interface TaskLogEndEvent {
  task_id: string;
  attempt: number;
}

export interface TaskLogFaultEvent extends SocketRefusal {
  task_id: string;
}

export interface TaskRecordEvent {
  task: TaskBody;
}

export interface ServerToClientEvents {
  telemetry: (body: TelemetryReply) => void;
  task: (event: TaskEvent) => void;
  'task:record': (event: TaskRecordEvent) => void;
  'task:progress': (event: TaskProgressBody) => void;
  'task:usage': (event: TaskUsageEvent) => void;
  'task:partial': (event: TaskPartialEvent) => void;
  'task:log': (event: TaskLogEvent) => void;
  'task:log-end': (event: TaskLogEndEvent) => void;
  /** Output can no longer be sent; the reason. Subscribe again from the next line. */
  'task:log-fault': (event: TaskLogFaultEvent) => void;
  /** The last that a socket hears (`unauthenticated`): the token has expired or was taken back, or its account ended it. */
  'session:end': (reason: SocketRefusal) => void;
}

export interface ClientToServerEvents {
  subscribe: (request: SubscribeRequest, reply: (answer: SubscribeReply) => void) => void;
  unsubscribe: (request: UnsubscribeRequest, reply: (answer: UnsubscribeReply) => void) => void;
}

/** Reasons of `connect_error`, in `error.data`: `unauthenticated`, `forbidden`, `rate_limited`, `store_unavailable`. */
export interface SocketRefusal {
  code: string;
  message: string;
}

export function taskEvent(event: TaskChanged): TaskEvent {
  return {
    task_id: event.taskId,
    status: event.state,
    attempt: event.attempt,
    revision: event.revision,
    worker_id: event.workerId,
    at: new Date(event.at).toISOString(),
  };
}

export function taskProgressBody(progress: TaskProgress): TaskProgressBody {
  return {
    task_id: progress.taskId,
    attempt: progress.attempt,
    phase: progress.phase,
    percent: progress.percent,
    message: progress.message,
    layers: progress.layers && { ...progress.layers },
    bytes: progress.bytes && { ...progress.bytes },
    at: new Date(progress.at).toISOString(),
  };
}
