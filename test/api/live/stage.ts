// API copies of one cluster that listen, tasks that move as a runner would move them, and Socket.io's own client with
// everything it heard.

import {
  type Socket as Client,
  io as connect,
  type ManagerOptions,
  type SocketOptions,
} from 'socket.io-client';
import type { SubscribeReply } from '../../../shared/contracts/live.ts';
import { taskChanged } from '../../../shared/model/event.ts';
import type { LogLine } from '../../../shared/model/log-line.ts';
import type { Task } from '../../../shared/model/task.ts';
import {
  assignTask,
  finishTask,
  type Step,
  startTask,
  takeBackTask,
} from '../../../shared/model/task-life.ts';
import { makeTask, taken } from '../../support/tasks.ts';
import { waitFor } from '../../support/wait-for.ts';
import type { Person, TestApi } from '../harness.ts';

/** Moves tasks in the store and tells the bus, as scheduler and runner do. */
export class Mover {
  readonly #api: TestApi;

  constructor(api: TestApi) {
    this.#api = api;
  }

  async queued(owner: Person): Promise<Task> {
    const task = makeTask({ maxRetries: 1 }, { ownerId: owner.id, ownerName: owner.username });
    await this.#api.store.tasks.insert([task]);
    return task;
  }

  async commit(step: Step, { quiet = false } = {}): Promise<Task> {
    const task = taken(step);
    if (!(await this.#api.store.tasks.commit(task))) throw new Error('another writer was faster');
    if (!quiet) await this.#api.redis.bus.publish(taskChanged(task));
    return task;
  }

  place(task: Task, how = {}): Promise<Task> {
    return this.commit(assignTask(task, { workerId: 'w1', term: 1, now: Date.now() }), how);
  }

  async start(task: Task, how = {}): Promise<Task> {
    const placed = task.state === 'queued' ? await this.place(task, how) : task;
    const report = { ...ref(placed), containerId: 'c', imageId: null, gpuIds: [] };
    return this.commit(startTask(placed, report), how);
  }

  async running(owner: Person): Promise<Task> {
    return this.start(await this.queued(owner));
  }

  end(task: Task, how = {}): Promise<Task> {
    const outcome = { kind: 'completed', exitCode: 0, message: null } as const;
    return this.commit(finishTask(task, { ...ref(task), dice: 0, outcome }), how);
  }

  /** Its worker is gone: it goes back to the queue for the next attempt. */
  lose(task: Task): Promise<Task> {
    return this.commit(takeBackTask(task, { ...ref(task), message: 'gone' }));
  }

  /** Lines `from` to `to`: into the log store, then to whoever follows. */
  async write(task: Task, from: number, to: number, text = 'line'): Promise<LogLine[]> {
    const lines = linesOf(from, to, text);
    await this.#api.logs.append(task.id, task.attempt, lines);
    await this.#api.redis.liveLogs.publish(task.id, task.attempt, { firstSeq: from, lastSeq: to, lines });
    return lines;
  }
}

const ref = (task: Task) => ({ attempt: task.attempt, workerId: 'w1', now: Date.now() });

const linesOf = (from: number, to: number, text = 'line'): LogLine[] =>
  Array.from({ length: to - from + 1 }, (_, n) => ({
    seq: from + n,
    ts: 1_700_000_000_000 + n,
    stream: (from + n) % 2 === 0 ? 'stderr' : 'stdout',
    line: `${text} ${from + n}`,
  }));

export interface Said {
  readonly event: string;
  // biome-ignore lint/suspicious/noExplicitAny: whatever came over the wire; each test says what it expects.
  readonly body: any;
}

/** A client of Socket.io with all it heard. */
export class Ear {
  readonly client: Client;
  readonly said: Said[] = [];
  refusal: { code: string; message: string } | null = null;
  /** Why it was disconnected last. */
  reason: string | null = null;

  constructor(url: string, token: string | null, options: Partial<ManagerOptions & SocketOptions> = {}) {
    this.client = connect(url, {
      transports: ['websocket'],
      forceNew: true,
      ...(token === null ? {} : { auth: { token } }),
      ...options,
    });
    this.client.onAny((event: string, body: unknown) => this.said.push({ event, body }));
    this.client.on('connect_error', (error) => {
      this.refusal = (error as { data?: { code: string; message: string } }).data ?? null;
    });
    this.client.on('disconnect', (reason) => {
      this.reason = reason;
    });
  }

  async connected(): Promise<this> {
    await waitFor(() => this.client.connected, { what: 'a connection' });
    return this;
  }

  async refused(): Promise<{ code: string; message: string }> {
    return waitFor(() => this.refusal, { what: 'a refusal' });
  }

  async gone(): Promise<string> {
    return waitFor(() => this.reason, { what: 'the end of the connection' });
  }

  ask(request: unknown, event = 'subscribe'): Promise<SubscribeReply> {
    return this.client.timeout(10_000).emitWithAck(event, request);
  }

  // biome-ignore lint/suspicious/noExplicitAny: see above.
  of(event: string): any[] {
    return this.said.filter((one) => one.event === event).map(({ body }) => body);
  }

  /** `attempt:seq` of all lines, in the order they came. */
  lines(taskId?: string): string[] {
    return this.of('task:log')
      .filter((body) => taskId === undefined || body.task_id === taskId)
      .flatMap(({ attempt, lines }) => lines.map(({ seq }: { seq: number }) => `${attempt}:${seq}`));
  }

  async heard(event: string, count = 1): Promise<Said['body'][]> {
    return waitFor(() => this.of(event).length >= count && this.of(event), {
      what: `${count} × ${event}; heard: ${this.said.map((one) => one.event).join(' ')}`,
      deadlineMs: 15_000,
    });
  }
}

export const seqs = (attempt: number, from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, n) => `${attempt}:${from + n}`);
