// Adds up what the engine says about the layers of a pull. Pure but for the state it keeps.

import type { PullProgress } from '../../ports/container-runtime.ts';

/** A line of the stream of a pull, in the engine's spelling. */
export interface PullLine {
  readonly id?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

interface Layer {
  done: boolean;
  current: number;
  total: number;
}

export interface PullTally {
  add(line: PullLine): void;
  progress(): PullProgress;
}

const LAYER_DONE = /^(Pull complete|Already exists)$/;
const LAYER_BEGUN =
  /^(Pulling fs layer|Waiting|Downloading|Verifying Checksum|Download complete|Extracting)$/;

export function createPullTally(): PullTally {
  const layers = new Map<string, Layer>();
  return {
    add({ id, status, progressDetail }) {
      if (id === undefined || status === undefined) return;
      const isDone = LAYER_DONE.test(status);
      // Lines such as "Pulling from library/busybox" carry a tag as id.
      if (!isDone && !LAYER_BEGUN.test(status)) return;
      const layer = layers.get(id) ?? { done: false, current: 0, total: 0 };
      layers.set(id, layer);
      // Only the download is counted in bytes: the unpacking counts the same bytes once more.
      if (status === 'Downloading') {
        layer.current = progressDetail?.current ?? layer.current;
        layer.total = progressDetail?.total ?? layer.total;
      } else if (status !== 'Pulling fs layer' && status !== 'Waiting') {
        layer.current = layer.total;
      }
      layer.done ||= isDone;
    },
    progress() {
      const all = [...layers.values()];
      return {
        layersDone: all.filter(({ done }) => done).length,
        layersTotal: all.length,
        bytesDone: all.reduce((sum, { current }) => sum + current, 0),
        bytesTotal: all.reduce((sum, { total }) => sum + total, 0),
      };
    },
  };
}
