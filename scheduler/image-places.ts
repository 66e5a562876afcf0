// On which workers an image lies, as the workers told lately. Read beside the turns, and kept within bounds: it breaks
// ties and must never hold anything up.

import type { ImageBoard, WorkerImages } from '../shared/ports/image-board.ts';
import type { LoopParts } from './parts.ts';
import { letOthersRun } from './pauses.ts';
import { Recurring } from './recurring.ts';

const EVERY_MS = 10_000;
const DEADLINE_MS = 5_000;
/** Some tens of megabytes. What is beyond is not known. */
const MOST_PAIRS = 1_000_000;
/** Pairs between two pauses. */
const STRETCH = 20_000;

export class ImagePlaces {
  readonly #board: ImageBoard;
  readonly #most: number;
  readonly #reading: Recurring;
  #lists: readonly WorkerImages[] = [];
  #places: ReadonlyMap<string, readonly string[]> = new Map();

  constructor({ images, log }: Pick<LoopParts, 'images' | 'log'>, most = MOST_PAIRS) {
    this.#board = images;
    this.#most = most;
    this.#reading = new Recurring({
      work: () => this.read(),
      everyMs: EVERY_MS,
      deadlineMs: DEADLINE_MS,
      fault: 'which images lie where is not known now',
      log,
    });
  }

  /** Ids of workers by the familiar name of an image. */
  get places(): ReadonlyMap<string, readonly string[]> {
    return this.#places;
  }

  start(): void {
    this.#reading.start();
  }

  stop(): Promise<void> {
    return this.#reading.stop();
  }

  /** @throws AppError `queue_unavailable` */
  async read(): Promise<void> {
    const lists = await this.#board.all(this.#lists);
    if (!isSame(this.#lists, lists)) this.#places = await placesOf(lists, this.#most);
    this.#lists = lists;
  }
}

/** Turns the lists round, with pauses in between. */
async function placesOf(lists: readonly WorkerImages[], most: number): Promise<Map<string, string[]>> {
  const places = new Map<string, string[]>();
  let pairs = 0;
  let sincePause = 0;
  for (const { workerId, images } of lists) {
    if (pairs + images.length > most) continue;
    for (const { name } of images) {
      const there = places.get(name);
      if (there) there.push(workerId);
      else places.set(name, [workerId]);
    }
    pairs += images.length;
    sincePause += images.length;
    if (sincePause < STRETCH) continue;
    sincePause = 0;
    await letOthersRun();
  }
  return places;
}

function isSame(before: readonly WorkerImages[], now: readonly WorkerImages[]): boolean {
  if (before.length !== now.length) return false;
  const versions = new Map(before.map(({ workerId, version }) => [workerId, version]));
  return now.every(({ workerId, version }) => versions.get(workerId) === version);
}
