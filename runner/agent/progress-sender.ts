// Tells watchers how far attempts have come: a few times a second at most, and always the newest. Best effort, for the
// record keeps what counts. Must never hold back whoever reports, nor collect what cannot be sent.

import { taskProgressBody, taskRoom } from '../../shared/contracts/live.ts';
import type { TaskProgress } from '../../shared/model/progress.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ProgressBoard, RoomEmitter } from '../../shared/ports/live.ts';
import type { AttemptKey } from '../core/next-step.ts';

/** Five times a second looks like motion. */
const EVERY_MS = 200;

export type ProgressNews = Pick<TaskProgress, 'phase' | 'percent' | 'message' | 'layers' | 'bytes'>;

export interface ProgressSenderParts {
  readonly rooms: RoomEmitter;
  readonly board: ProgressBoard;
  readonly clock: Clock;
  readonly log: Log;
}

interface Sending {
  /** Runs while nothing more may be sent. */
  timer: NodeJS.Timeout | null;
  /** Not sent yet. */
  waiting: TaskProgress | null;
  /** Not on the board yet. */
  offBoard: TaskProgress | null;
  isWriting: boolean;
}

export class ProgressSender {
  readonly #parts: ProgressSenderParts;
  /** By task; only of those that reported a moment ago. */
  readonly #sendings = new Map<string, Sending>();

  constructor(parts: ProgressSenderParts) {
    this.#parts = parts;
  }

  /** At once, or with the next that may be sent; then only the newest. */
  report(key: AttemptKey, news: ProgressNews): void {
    const { taskId, attempt } = key;
    let sending = this.#sendings.get(taskId);
    if (!sending) {
      sending = { timer: null, waiting: null, offBoard: null, isWriting: false };
      this.#sendings.set(taskId, sending);
    }
    sending.waiting = { taskId, attempt, ...news, at: this.#parts.clock.now() };
    if (!sending.timer) this.#send(taskId, sending);
  }

  /** Sends what still waits of this task, before something else is told of it. */
  flush({ taskId }: AttemptKey): void {
    const sending = this.#sendings.get(taskId);
    if (!sending?.waiting) return;
    if (sending.timer) clearTimeout(sending.timer);
    this.#send(taskId, sending);
  }

  #send(taskId: string, sending: Sending): void {
    const progress = sending.waiting;
    sending.waiting = null;
    sending.timer = null;
    if (!progress) {
      if (!sending.isWriting) this.#sendings.delete(taskId);
      return;
    }
    this.#parts.rooms.emit(taskRoom(taskId), 'task:progress', taskProgressBody(progress));
    sending.offBoard = progress;
    if (!sending.isWriting) void this.#write(taskId, sending);
    sending.timer = setTimeout(() => this.#send(taskId, sending), EVERY_MS);
    // Nobody waits for it when the process ends.
    sending.timer.unref();
  }

  /** One write at a time, each with the newest. */
  async #write(taskId: string, sending: Sending): Promise<void> {
    const { board, log } = this.#parts;
    sending.isWriting = true;
    while (sending.offBoard) {
      const progress = sending.offBoard;
      sending.offBoard = null;
      // The port promises not to reject; a broken promise must not end the writing.
      await board.set(progress).catch((error) => log.debug({ err: error, taskId }, 'progress is not kept'));
    }
    sending.isWriting = false;
    if (!sending.timer && !sending.waiting) this.#sendings.delete(taskId);
  }
}
