// How many requests of one caller, and of all, are in progress at once in this process, or on their way into it: the others
// of that caller wait in a line, so that who asks little is served between them. Of all lines one begins per round of the
// event loop, by turns. Knows nothing of HTTP or gRPC: whatever a caller's requests come by, their line is one.

import { AppError } from '../../shared/errors.ts';

export interface RequestTurnsLimits {
  /** Of one caller; 0 for no limit. */
  readonly atOnce: number;
  /** Of all callers together; null for no limit but that of each. */
  readonly inAll: number | null;
  /** In the line of one caller. */
  readonly waitingOfOne: number;
  readonly waitingInAll: number;
  /** In the line. */
  readonly patienceMs: number;
  /** What takes longer than this waits more than it works: it goes on, but lets the next one begin. Null: it never does. */
  readonly heldMs: number | null;
}

export interface Turn {
  /** Until it may begin. @throws AppError `rate_limited` when the line is too long or too slow, or it has left it */
  readonly began: Promise<void>;
  /** It is done, or leaves the line. May be called again. */
  over(): void;
  /** Nobody waits for it any more: it leaves the line, but one that is in progress still is. */
  abandoned(): void;
}

interface Line {
  inProgress: number;
  /** In order of coming. */
  readonly waiting: Set<() => void>;
}

const NO_TURN: Turn = { began: Promise.resolve(), over: () => undefined, abandoned: () => undefined };
const RETRY_SECONDS = 1;
/** A script that sends a thousand requests with some hundred open at a time is held back, not refused. */
const WAITING_PER_TURN = 32;
const WAITING_IN_ALL = 4_096;
const PATIENCE_MS = 20_000;
const HELD_MS = 1_000;

/** Of requests that are worked at. */
export function turnsOf(atOnce: number): RequestTurnsLimits {
  return { ...lineOf(atOnce), inAll: null, heldMs: HELD_MS };
}

/** Of requests on their way in, each of which takes memory until it is there, however long that is. */
export function arrivalsOf(atOnce: number, inAll: number): RequestTurnsLimits {
  return { ...lineOf(atOnce), inAll, heldMs: null };
}

function lineOf(atOnce: number) {
  return {
    atOnce,
    waitingOfOne: atOnce * WAITING_PER_TURN,
    waitingInAll: WAITING_IN_ALL,
    patienceMs: PATIENCE_MS,
  };
}

export class RequestTurns {
  readonly #limits: RequestTurnsLimits;
  readonly #lines = new Map<string, Line>();
  /** Callers of whom one more may begin, in order of their turns. */
  readonly #ready = new Set<string>();
  #inProgress = 0;
  #waiting = 0;
  #isNextSet = false;

  constructor(limits: RequestTurnsLimits) {
    this.#limits = limits;
  }

  /** Of all callers. */
  get inProgress(): number {
    return this.#inProgress;
  }

  /** In all lines. */
  get waiting(): number {
    return this.#waiting;
  }

  take(caller: string): Turn {
    const { atOnce, waitingOfOne, waitingInAll } = this.#limits;
    if (atOnce === 0) return NO_TURN;
    const line: Line = this.#lines.get(caller) ?? { inProgress: 0, waiting: new Set() };
    const beginsNow = line.inProgress < atOnce && line.waiting.size === 0 && this.#hasRoomForNew();
    if (!beginsNow && (line.waiting.size >= waitingOfOne || this.#waiting >= waitingInAll)) {
      return { ...NO_TURN, began: Promise.reject(refusal('too many of your requests wait here')) };
    }
    this.#lines.set(caller, line);
    if (!beginsNow) return this.#wait(caller, line);
    const over = this.#begin(caller, line);
    return { began: Promise.resolve(), over, abandoned: () => undefined };
  }

  /** Where all share a number of places, nobody comes in before those who wait for one. */
  #hasRoomForNew(): boolean {
    return this.#limits.inAll === null || (this.#hasRoom() && this.#ready.size === 0);
  }

  #hasRoom(): boolean {
    const { inAll } = this.#limits;
    return inAll === null || this.#inProgress < inAll;
  }

  #begin(caller: string, line: Line): () => void {
    const { heldMs } = this.#limits;
    line.inProgress += 1;
    this.#inProgress += 1;
    let given = false;
    const over = () => {
      if (given) return;
      given = true;
      clearTimeout(timer);
      line.inProgress -= 1;
      this.#inProgress -= 1;
      this.#next(caller, line);
    };
    const timer = heldMs === null ? undefined : setTimeout(over, heldMs);
    timer?.unref();
    return over;
  }

  #wait(caller: string, line: Line): Turn {
    let over: (() => void) | null = null;
    let leave: (why: string) => void = () => undefined;
    const began = new Promise<void>((resolve, reject) => {
      const begin = () => {
        over = this.#begin(caller, line);
        out();
        resolve();
      };
      const out = () => {
        clearTimeout(timer);
        this.#waiting -= 1;
        line.waiting.delete(begin);
        this.#next(caller, line);
      };
      leave = (why) => {
        if (!line.waiting.has(begin)) return;
        out();
        reject(refusal(why));
      };
      const timer = setTimeout(
        leave,
        this.#limits.patienceMs,
        'your requests that came before take too long',
      );
      timer.unref();
      line.waiting.add(begin);
      this.#waiting += 1;
      this.#next(caller, line);
    });
    const abandoned = () => leave('nobody waits for this answer');
    return { began, over: () => (over ?? abandoned)(), abandoned };
  }

  #next(caller: string, line: Line): void {
    if (line.waiting.size > 0) {
      if (line.inProgress < this.#limits.atOnce) this.#ready.add(caller);
    } else {
      this.#ready.delete(caller);
      if (line.inProgress === 0 && this.#lines.get(caller) === line) this.#lines.delete(caller);
    }
    this.#setNext();
  }

  #setNext(): void {
    if (this.#isNextSet || this.#ready.size === 0 || !this.#hasRoom()) return;
    this.#isNextSet = true;
    setImmediate(() => {
      this.#isNextSet = false;
      this.#beginOne();
    });
  }

  #beginOne(): void {
    const [caller] = this.#ready;
    // Where there is no room any more, the next one that is over goes on from here.
    if (caller === undefined || !this.#hasRoom()) return;
    this.#ready.delete(caller);
    const line = this.#lines.get(caller);
    const [begin] = line?.waiting ?? [];
    // One more of it comes after one of each other.
    if (line && begin && line.inProgress < this.#limits.atOnce) begin();
    this.#setNext();
  }
}

function refusal(why: string): AppError {
  const message = `${why}: wait for answers before you send more`;
  return new AppError('rate_limited', message, {
    retryable: true,
    retryAfterSeconds: RETRY_SECONDS,
    // Tells programs that waiting is all it takes.
    details: [{ field: 'requests', message }],
  });
}
