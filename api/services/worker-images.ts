// The images that workers have, over all workers that are up. Kept for some seconds and read once for all who ask
// meanwhile; of the lists only those that changed are read again.

import type { ImageBody, ImageListReply } from '../../shared/contracts/images.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { ImageBoard, WorkerImages } from '../../shared/ports/image-board.ts';
import type { ClusterView } from './cluster-view.ts';
import { answerWithin } from './deadline.ts';

export interface WorkerImageListsParts {
  readonly board: ImageBoard;
  readonly view: ClusterView;
  readonly clock: Clock;
}

const FRESH_MS = 3_000;
const DEADLINE_MS = 5_000;
const IMAGES_SHOWN = 1_000;
const WORKERS_SHOWN = 20;

export class WorkerImageLists {
  readonly #parts: WorkerImageListsParts;
  #known: readonly WorkerImages[] = [];
  #last: { reply: Promise<ImageListReply>; since: number; done: boolean } | null = null;

  constructor(parts: WorkerImageListsParts) {
    this.#parts = parts;
  }

  /** @throws AppError `queue_unavailable` */
  list(): Promise<ImageListReply> {
    const now = this.#parts.clock.monotonic();
    if (this.#last && (!this.#last.done || now - this.#last.since < FRESH_MS)) return this.#last.reply;
    const last = { reply: this.#read(), since: now, done: false };
    this.#last = last;
    last.reply.then(
      () => {
        last.done = true;
      },
      () => {
        // A fault is not kept for the next one to ask.
        if (this.#last === last) this.#last = null;
      },
    );
    return last.reply;
  }

  async #read(): Promise<ImageListReply> {
    const { board, view } = this.#parts;
    const [lists, { workers }] = await Promise.all([
      answerWithin(board.all(this.#known), DEADLINE_MS, 'Redis'),
      view.snapshot(),
    ]);
    this.#known = lists;
    const up = new Set(workers.filter(({ state }) => state !== 'down').map(({ worker }) => worker.id));
    return { images: mergeImages(lists.filter(({ workerId }) => up.has(workerId))) };
  }
}

/** Those on most workers first, then by name. */
export function mergeImages(lists: readonly WorkerImages[]): ImageBody[] {
  const bodies = new Map<string, ImageBody>();
  for (const { workerId, images } of lists.toSorted((a, b) => (a.workerId < b.workerId ? -1 : 1))) {
    for (const { name, sizeBytes } of images) {
      const body = bodies.get(name) ?? { image: name, size_bytes: null, workers: [], worker_count: 0 };
      body.size_bytes ??= sizeBytes;
      body.worker_count += 1;
      if (body.workers.length < WORKERS_SHOWN) body.workers.push(workerId);
      bodies.set(name, body);
    }
  }
  return [...bodies.values()]
    .sort((one, other) => other.worker_count - one.worker_count || (one.image < other.image ? -1 : 1))
    .slice(0, IMAGES_SHOWN);
}
