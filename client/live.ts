// What happens in the cluster, as it happens: one connection to the API over Socket.io, kept up for as long as it is
// wanted. Subscriptions outlive breaks of the connection and restarts of the API, and no line of output comes twice
// or is left out. Must run in Node and in a browser: nothing of Node may be imported here or below.

import { io, type Socket } from 'socket.io-client';
import {
  type ClientToServerEvents,
  type RoomName,
  type ServerToClientEvents,
  SOCKET_PATH,
  type SocketRefusal,
  TASKS_ROOM,
  TELEMETRY_ROOM,
  taskRoom,
} from '../shared/contracts/live.ts';
import { LiveRoom, type RoomLink, type RoomListener } from './live-room.ts';
import type { LogStart } from './log-cursor.ts';

export type { RoomListener } from './live-room.ts';
export type { LogStart } from './log-cursor.ts';

/** `ended`: by `close`, or because the API does not let this token in; `fault` says why. */
export type LiveState = 'connecting' | 'connected' | 'reconnecting' | 'ended';

export interface LiveOptions {
  /** Where the API is, e.g. `http://localhost:8080`. */
  readonly url: string;
  /** A function is asked anew for each connection. */
  readonly token?: string | (() => string | undefined) | undefined;
  readonly onState?: ((state: LiveState, fault: SocketRefusal | null) => void) | undefined;
}

type Watch<E extends keyof RoomListener> = Pick<
  RoomListener,
  E | 'standing' | 'resumed' | 'refused' | 'delayed'
>;
export type TelemetryWatch = Watch<'telemetry'>;
export type TasksWatch = Watch<'task'>;
export type TaskWatch = Omit<RoomListener, 'telemetry'>;

export interface Live {
  readonly state: LiveState;
  /** Why it ended, or what keeps it from connecting; null while connected. */
  readonly fault: SocketRefusal | null;
  /** Each returned function ends its subscription. */
  subscribe(room: 'telemetry', watch: TelemetryWatch): () => void;
  subscribe(room: 'tasks', watch: TasksWatch): () => void;
  /** With `logs` also the output, of one follower for each task. */
  subscribe(room: `task:${string}`, watch: TaskWatch, logs?: LogStart): () => void;
  close(): void;
}

const ANSWER_MS = 15_000;
const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 10_000;

/** Connects at once; a cluster that is away now is no error. */
export function createLive(options: LiveOptions): Live {
  return new LiveConnection(options);
}

class LiveConnection implements Live {
  readonly #options: LiveOptions;
  readonly #socket: Socket<ServerToClientEvents, ClientToServerEvents>;
  readonly #link: RoomLink;
  readonly #rooms = new Map<RoomName, LiveRoom>();
  #state: LiveState = 'connecting';
  #fault: SocketRefusal | null = null;
  #pauseMs = FIRST_PAUSE_MS;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: LiveOptions) {
    this.#options = options;
    const socket: Socket<ServerToClientEvents, ClientToServerEvents> = io(options.url.replace(/\/+$/, ''), {
      path: SOCKET_PATH,
      transports: ['websocket', 'polling'],
      tryAllTransports: true,
      // One for each `createLive`, so that closing one leaves the others.
      forceNew: true,
      reconnectionDelay: FIRST_PAUSE_MS,
      reconnectionDelayMax: LONGEST_PAUSE_MS,
      auth: (give) => give(this.#auth()),
    });
    this.#socket = socket;
    this.#link = {
      get isUp() {
        return socket.connected;
      },
      ask: (request) =>
        socket
          .timeout(ANSWER_MS)
          .emitWithAck('subscribe', request)
          .catch(() => null),
      leave: (room) => {
        if (socket.connected) socket.emit('unsubscribe', { room }, () => undefined);
      },
    };
    this.#listen();
  }

  get state(): LiveState {
    return this.#state;
  }

  get fault(): SocketRefusal | null {
    return this.#fault;
  }

  subscribe(name: RoomName, watch: RoomListener, logs?: LogStart): () => void {
    let room = this.#rooms.get(name);
    if (!room) {
      room = new LiveRoom(name, this.#link);
      this.#rooms.set(name, room);
    }
    const member = room.add(watch, logs);
    const joined = room;
    return () => {
      joined.remove(member);
      if (joined.isEmpty && this.#rooms.get(name) === joined) this.#rooms.delete(name);
    };
  }

  close(): void {
    for (const room of this.#rooms.values()) room.cut();
    this.#rooms.clear();
    this.#end(null);
  }

  #listen(): void {
    const socket = this.#socket;
    socket.on('connect', () => {
      this.#pauseMs = FIRST_PAUSE_MS;
      this.#enter('connected', null);
      for (const room of this.#rooms.values()) room.sync();
    });
    socket.on('connect_error', (error) => this.#onRefused((error as { data?: SocketRefusal }).data, error));
    socket.on('session:end', (refusal) => {
      this.#fault = refusal;
    });
    socket.on('disconnect', (reason) => {
      if (this.#state === 'ended') return;
      for (const room of this.#rooms.values()) room.cut();
      this.#enter('reconnecting', this.#fault);
      // Cut by the API on purpose: with the same token there is no way back.
      if (reason !== 'io server disconnect') return;
      if (this.#fault && typeof this.#options.token !== 'function') this.#end(this.#fault);
      else this.#later();
    });
    const room = (taskId: string) => this.#rooms.get(taskRoom(taskId) as RoomName);
    socket.on('telemetry', (body) => this.#rooms.get(TELEMETRY_ROOM)?.tell('telemetry', body));
    socket.on('task', (event) => {
      this.#rooms.get(TASKS_ROOM)?.tell('task', event);
      room(event.task_id)?.tell('task', event);
    });
    socket.on('task:record', ({ task }) => room(task.task_id)?.tell('record', task));
    socket.on('task:progress', (event) => room(event.task_id)?.tell('progress', event));
    socket.on('task:usage', (event) => room(event.task_id)?.tell('usage', event));
    socket.on('task:partial', (event) => room(event.task_id)?.tell('partial', event));
    socket.on('task:log', (event) => room(event.task_id)?.onLines(event));
    socket.on('task:log-end', (event) => room(event.task_id)?.onLogsEnded(event));
    socket.on('task:log-fault', (event) => room(event.task_id)?.onLogFault(event));
  }

  /** @param refusal absent when there was nobody to say no */
  #onRefused(refusal: SocketRefusal | undefined, error: Error): void {
    if (this.#state === 'ended') return;
    const isFinal = refusal?.code === 'unauthenticated' || refusal?.code === 'forbidden';
    if (refusal && isFinal) {
      this.#end(refusal);
      return;
    }
    const fault = refusal ?? { code: 'unreachable', message: error.message };
    this.#enter(this.#state === 'connecting' ? 'connecting' : 'reconnecting', fault);
    // What the API refused, the socket does not try again by itself.
    if (!this.#socket.active) this.#later();
  }

  #later(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#socket.connect(), this.#pauseMs);
    this.#pauseMs = Math.min(2 * this.#pauseMs, LONGEST_PAUSE_MS);
  }

  #end(fault: SocketRefusal | null): void {
    clearTimeout(this.#timer);
    this.#enter('ended', fault);
    this.#socket.disconnect();
  }

  #enter(state: LiveState, fault: SocketRefusal | null): void {
    const isNews = state !== this.#state || fault?.code !== this.#fault?.code;
    this.#state = state;
    this.#fault = fault;
    if (isNews) this.#options.onState?.(state, fault);
  }

  #auth(): Record<string, string> {
    const { token } = this.#options;
    const text = typeof token === 'function' ? token() : token;
    return text ? { token: text } : {};
  }
}
