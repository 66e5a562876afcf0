// What one socket has asked for. Requests are taken one after the other, each is checked and answered, and none ever
// throws: a request that cannot be met gets its reason in the acknowledgement.

import { taskBodyWithSla } from '../../shared/contracts/http.ts';
import {
  type SubscribeReply,
  type SubscribeRequest,
  TASKS_ROOM,
  TELEMETRY_ROOM,
  taskProgressBody,
  taskRoom,
  type UnsubscribeReply,
} from '../../shared/contracts/live.ts';
import { subscribeSchema, unsubscribeSchema } from '../../shared/contracts/live-schemas.ts';
import { AppError } from '../../shared/errors.ts';
import type { RunLearner } from '../../shared/learning/run-learner.ts';
import type { TaskProgress } from '../../shared/model/progress.ts';
import type { Task } from '../../shared/model/task.ts';
import type { Principal } from '../../shared/model/user.ts';
import type { ProgressBoard } from '../../shared/ports/live.ts';
import { answerWithin } from '../services/deadline.ts';
import { accept } from '../validation.ts';
import { type LiveSocket, refusalOf } from './live-server.ts';
import { type FeedParts, LogFeed } from './log-feed.ts';
import type { Outbox } from './outbox.ts';
import { type TaskEvents, tasksRoomOf } from './task-events.ts';

export interface SubscriptionParts extends FeedParts {
  readonly events: TaskEvents;
  readonly progress: ProgressBoard;
  readonly learner: Pick<RunLearner, 'slaOf'>;
  /** Tells this socket what the cluster looks like now. */
  readonly greet: (socket: LiveSocket) => void;
}

const MAX_SUBSCRIPTIONS = 200;
/** Requests of one socket that wait for their turn. */
const MAX_WAITING = 400;
/** The record can be shown without progress. */
const PROGRESS_DEADLINE_MS = 1_000;

type Refused = Extract<SubscribeReply, { ok: false }>;

interface Joined {
  /** Of Socket.io, which is not always the one that was asked for. */
  readonly room: string;
  readonly taskId: string | null;
  feed: LogFeed | null;
}

export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #socket: LiveSocket;
  readonly #outbox: Outbox;
  readonly #joined = new Map<string, Joined>();
  #turn: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #closed = false;

  constructor(parts: SubscriptionParts, socket: LiveSocket, outbox: Outbox) {
    this.#parts = parts;
    this.#socket = socket;
    this.#outbox = outbox;
  }

  subscribe(request: unknown, reply: (answer: SubscribeReply) => void): void {
    this.#take(async () => {
      const { room, logs } = accept(subscribeSchema, request);
      if (!this.#joined.has(room) && this.#joined.size >= MAX_SUBSCRIPTIONS) {
        throw new AppError('rate_limited', `you have ${MAX_SUBSCRIPTIONS} subscriptions: end some first`);
      }
      if (room === TELEMETRY_ROOM) return this.#joinTelemetry(reply);
      const by = this.#principal();
      if (room === TASKS_ROOM) return this.#joinTasks(by, reply);
      await this.#joinTask(by, room.slice(taskRoom('').length), logs, reply);
    }, reply);
  }

  unsubscribe(request: unknown, reply: (answer: UnsubscribeReply) => void): void {
    this.#take(async () => {
      this.#leave(accept(unsubscribeSchema, request).room);
      reply({ ok: true });
    }, reply);
  }

  close(): void {
    this.#closed = true;
    for (const room of [...this.#joined.keys()]) this.#leave(room);
  }

  #joinTelemetry(reply: (answer: SubscribeReply) => void): void {
    this.#join(TELEMETRY_ROOM, TELEMETRY_ROOM, null);
    reply({ ok: true });
    this.#parts.greet(this.#socket);
  }

  #joinTasks(by: Principal, reply: (answer: SubscribeReply) => void): void {
    this.#join(TASKS_ROOM, tasksRoomOf(by), null);
    reply({ ok: true });
  }

  async #joinTask(
    by: Principal,
    taskId: string,
    logs: SubscribeRequest['logs'],
    reply: (answer: SubscribeReply) => void,
  ): Promise<void> {
    const { records, events } = this.#parts;
    const task = await records.get(by, taskId);
    const feed = logs
      ? new LogFeed(
          this.#parts,
          { by, taskId, logs, currentAttempt: task.attempt },
          this.#socket,
          this.#outbox,
        )
      : null;
    const [progress] = await Promise.all([this.#progressOf(task), feed?.open()]);
    if (this.#closed) {
      feed?.stop();
      return;
    }
    // From here on in one go: nothing may change between the answer and what follows on it.
    const room = taskRoom(taskId);
    const before = this.#joined.get(room);
    before?.feed?.stop();
    const joined = this.#join(room, room, taskId);
    joined.feed = feed;
    reply({
      ok: true,
      task: taskBodyWithSla(task, this.#parts.learner.slaOf(task)),
      progress: progress && taskProgressBody(progress),
    });
    if (before !== joined) events.watch(task);
    feed?.start();
  }

  async #progressOf({ id, attempt }: Task): Promise<TaskProgress | null> {
    const { progress, log } = this.#parts;
    try {
      const [known] = await answerWithin(progress.get([id]), PROGRESS_DEADLINE_MS, 'Redis');
      return known?.attempt === attempt ? known : null;
    } catch (error) {
      log.debug({ err: error }, 'progress cannot be read');
      return null;
    }
  }

  #join(asked: string, room: string, taskId: string | null): Joined {
    const there = this.#joined.get(asked);
    if (there) return there;
    const joined = { room, taskId, feed: null };
    this.#joined.set(asked, joined);
    void this.#socket.join(room);
    return joined;
  }

  #leave(asked: string): void {
    const joined = this.#joined.get(asked);
    if (!joined) return;
    this.#joined.delete(asked);
    joined.feed?.stop();
    if (joined.taskId !== null) this.#parts.events.unwatch(joined.taskId);
    void this.#socket.leave(joined.room);
  }

  #principal(): Principal {
    const { principal } = this.#socket.data.caller;
    if (principal) return principal;
    throw new AppError('unauthenticated', 'connect with a token ("auth.token") to watch tasks');
  }

  /** Runs `work` after all that was asked before. */
  #take(work: () => Promise<void> | void, reply: (answer: Refused) => void): void {
    const refuse = (error: unknown) => {
      const refusal = refusalOf(error);
      if (refusal.code === 'internal') this.#parts.log.error({ err: error }, 'a request of a socket failed');
      reply({ ok: false, error: refusal });
    };
    if (this.#waiting >= MAX_WAITING) {
      refuse(
        new AppError('rate_limited', `${this.#waiting} requests wait: wait for answers before you ask more`),
      );
      return;
    }
    this.#waiting += 1;
    this.#turn = this.#turn
      .then(() => (this.#closed ? undefined : work()))
      .catch(refuse)
      .finally(() => {
        this.#waiting -= 1;
      });
  }
}
