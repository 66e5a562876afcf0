// Tells which images this machine has: at the start, soon after a task brought a new one, and every minute. Best effort:
// an engine or a board that does not answer costs news and nothing else.

import { messageOf } from '../../shared/errors.ts';
import { familiarImage } from '../../shared/model/image.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../shared/ports/container-runtime.ts';
import type { ImageBoard } from '../../shared/ports/image-board.ts';
import { chooseImages } from '../core/image-choice.ts';

const EVERY_MS = 60_000;
/** Several tasks often bring images together. */
const SOON_MS = 1_000;
/** Outlasts two tellings that were missed. */
const KEPT_ROUNDS = 3;
/** Names remembered as used. */
const USED_KEPT = 1_000;

export interface ImageNoticeParts {
  readonly workerId: string;
  readonly runtime: Pick<ContainerRuntime, 'images'>;
  readonly board: Pick<ImageBoard, 'post'>;
  readonly log: Log;
  readonly everyMs?: number;
  readonly soonMs?: number;
}

export class ImageNotice {
  readonly #parts: ImageNoticeParts;
  readonly #everyMs: number;
  /** The last used last. */
  readonly #used = new Set<string>();
  #told: ReadonlySet<string> = new Set();
  #timer: NodeJS.Timeout | null = null;
  #soon: NodeJS.Timeout | null = null;
  #isTelling = false;
  #isStopped = false;

  constructor(parts: ImageNoticeParts) {
    this.#parts = parts;
    this.#everyMs = parts.everyMs ?? EVERY_MS;
  }

  start(): void {
    if (this.#timer || this.#isStopped) return;
    this.#timer = setInterval(() => void this.#tell(), this.#everyMs);
    void this.#tell();
  }

  /** A task found the image here or brought it. */
  used(image: string): void {
    const name = familiarImage(image);
    this.#used.delete(name);
    this.#used.add(name);
    for (const oldest of this.#used) {
      if (this.#used.size <= USED_KEPT) break;
      this.#used.delete(oldest);
    }
    if (this.#told.has(name) || this.#isStopped) return;
    this.#soon ??= setTimeout(() => {
      this.#soon = null;
      void this.#tell();
    }, this.#parts.soonMs ?? SOON_MS);
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearInterval(this.#timer);
    if (this.#soon) clearTimeout(this.#soon);
  }

  async #tell(): Promise<void> {
    if (this.#isTelling || this.#isStopped) return;
    this.#isTelling = true;
    const { workerId, runtime, board, log } = this.#parts;
    try {
      const images = chooseImages(await runtime.images(), [...this.#used]);
      if (this.#isStopped) return;
      await board.post(workerId, images, KEPT_ROUNDS * this.#everyMs);
      // A name that is used and never listed, as one with a digest, asks for a look only once.
      this.#told = new Set([...images.map(({ name }) => name), ...this.#used]);
    } catch (error) {
      log.debug({ fault: messageOf(error) }, 'the images of this machine were not told');
    } finally {
      this.#isTelling = false;
    }
  }
}
