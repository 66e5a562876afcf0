// Which images lie on which workers, told by the runners. Best effort: it may be minutes old or gone, so it may suggest
// and break ties, and nothing may depend on it.

import type { PresentImage } from '../model/image.ts';

export interface WorkerImages {
  readonly workerId: string;
  /** Follows from the images alone: equal versions mean equal lists, also of two workers. */
  readonly version: string;
  readonly images: readonly PresentImage[];
}

/** All calls throw AppError `queue_unavailable` when it cannot be reached. */
export interface ImageBoard {
  /** Takes the place of the worker's list of before, and goes by itself after `keptMs` unless it is posted again. */
  post(workerId: string, images: readonly PresentImage[], keptMs: number): Promise<void>;
  /**
   * The lists of all workers that have posted lately. Lists of an earlier answer are used again where they still hold,
   * and equal lists are read once and shared, so that a thousand workers cost little when few of them change. A list
   * that changes while it is read may be missing; the next answer has it.
   */
  all(known?: readonly WorkerImages[]): Promise<readonly WorkerImages[]>;
}
