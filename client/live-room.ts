// One room that a client wants to be in: who listens, and what has to be asked of the API for that, now and after
// each reconnect. Must run in Node and in a browser.

import type { TaskBody } from '../shared/contracts/http.ts';
import type {
  RoomName,
  SocketRefusal,
  SubscribeReply,
  SubscribeRequest,
  TaskEvent,
  TaskLogEndEvent,
  TaskLogEvent,
  TaskLogFaultEvent,
  TaskPartialEvent,
  TaskProgressBody,
  TaskUsageEvent,
} from '../shared/contracts/live.ts';
import type { TelemetryReply } from '../shared/contracts/workers.ts';
import { LogCursor, type LogStart } from './log-cursor.ts';

/** All are optional: give those you listen to. */
export interface RoomListener {
  telemetry?(body: TelemetryReply): void;
  task?(event: TaskEvent): void;
  /** The record, first as it is when the subscription stands, then after each change. */
  record?(task: TaskBody): void;
  /** Null when nothing is known yet. */
  progress?(progress: TaskProgressBody | null): void;
  usage?(event: TaskUsageEvent): void;
  partial?(event: TaskPartialEvent): void;
  /** Each line once and in order; numbers begin anew with each attempt. Only with `logs`. */
  lines?(event: TaskLogEvent): void;
  /** All of the output that was asked for has come. */
  logsEnded?(event: TaskLogEndEvent): void;
  /** The subscription stands, for the first time or again: what was read before may be stale. */
  standing?(): void;
  /** The subscription stands again after a break: what a list shows may be stale. Lines go on by themselves. */
  resumed?(): void;
  /** The API said no, for good. */
  refused?(refusal: SocketRefusal): void;
  /** It cannot be met now; it is tried again by itself. */
  delayed?(refusal: SocketRefusal): void;
}

export interface Member {
  readonly listener: RoomListener;
  readonly cursor: LogCursor | null;
}

export interface RoomLink {
  readonly isUp: boolean;
  /** Null when there is no answer in time. */
  ask(request: SubscribeRequest): Promise<SubscribeReply | null>;
  leave(room: RoomName): void;
}

/** Codes of what may go well a little later. */
const PASSING = new Set([
  'rate_limited',
  'store_unavailable',
  'queue_unavailable',
  'timed_out',
  'disk_full',
  'internal',
]);
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

export class LiveRoom {
  readonly name: RoomName;
  readonly #link: RoomLink;
  readonly #members = new Set<Member>();
  /** Grows with each request, so that late answers are known as such. */
  #version = 0;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #stood = false;
  #broken = false;

  constructor(name: RoomName, link: RoomLink) {
    this.name = name;
    this.#link = link;
  }

  get isEmpty(): boolean {
    return this.#members.size === 0;
  }

  /** @throws Error when the output is followed here already */
  add(listener: RoomListener, logs: LogStart | undefined): Member {
    if (logs && this.#follower()) throw new Error(`the output of ${this.name} is followed here already`);
    const member = { listener, cursor: logs ? new LogCursor(logs) : null };
    this.#members.add(member);
    this.sync();
    return member;
  }

  remove(member: Member): void {
    if (!this.#members.delete(member)) return;
    if (this.isEmpty) this.leave();
    else if (member.cursor && !member.cursor.done) this.sync();
  }

  leave(): void {
    this.#version += 1;
    clearTimeout(this.#timer);
    this.#link.leave(this.name);
  }

  /** The connection is gone: what is under way will not be answered. */
  cut(): void {
    this.#broken = true;
    this.#version += 1;
    clearTimeout(this.#timer);
  }

  /** Asks the API for what is wanted now; without a connection, whoever makes one calls this again. */
  sync(): void {
    this.#version += 1;
    clearTimeout(this.#timer);
    if (this.#link.isUp) void this.#ask(this.#version);
  }

  tell<E extends keyof RoomListener>(event: E, ...body: Parameters<NonNullable<RoomListener[E]>>): void {
    for (const { listener } of [...this.#members]) {
      const listen = listener[event] as ((...given: typeof body) => void) | undefined;
      listen?.apply(listener, body);
    }
  }

  onLines(event: TaskLogEvent): void {
    const member = this.#follower();
    const lines = member?.cursor?.take(event);
    if (!member || !lines || lines.length === 0) return;
    this.#pauseMs = FIRST_PAUSE_MS;
    member.listener.lines?.({ ...event, lines: [...lines] });
  }

  onLogsEnded(event: TaskLogEndEvent): void {
    const member = this.#follower();
    member?.cursor?.end();
    member?.listener.logsEnded?.(event);
  }

  onLogFault({ code, message }: TaskLogFaultEvent): void {
    if (!this.#follower()) return;
    this.tell('delayed', { code, message });
    this.#later();
  }

  async #ask(version: number): Promise<void> {
    const cursor = this.#follower()?.cursor;
    const request: SubscribeRequest = { room: this.name, ...(cursor ? { logs: cursor.ask() } : {}) };
    const answer = await this.#link.ask(request);
    if (version !== this.#version) return;
    if (!answer) {
      this.#later();
    } else if (answer.ok) {
      this.#pauseMs = FIRST_PAUSE_MS;
      if (answer.task) cursor?.begun(answer.task.attempt);
      const isNew = !this.#stood || this.#broken;
      if (this.#stood && this.#broken) this.tell('resumed');
      this.#stood = true;
      this.#broken = false;
      if (isNew) this.tell('standing');
      if (answer.task) this.tell('record', answer.task);
      if (answer.progress !== undefined) this.tell('progress', answer.progress);
    } else if (PASSING.has(answer.error.code)) {
      this.tell('delayed', answer.error);
      this.#later();
    } else {
      this.tell('refused', answer.error);
      this.#members.clear();
    }
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.sync(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  /** The one member that follows the output and has not got all of it. */
  #follower(): Member | undefined {
    return [...this.#members].find(({ cursor }) => cursor && !cursor.done);
  }
}
