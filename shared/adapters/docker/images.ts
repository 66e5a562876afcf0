// Makes images present on the engine. Pulls of one image are shared; one caller that gives up does not stop the
// pull of the others. Must never pull under the policy `never`.

import type { Readable } from 'node:stream';
import { AppError, isAppError, messageOf } from '../../errors.ts';
import type { StoredImage } from '../../model/image.ts';
import type { PullPolicy } from '../../model/task.ts';
import { untilAborted } from '../../platform/deadline.ts';
import type { PullProgress } from '../../ports/container-runtime.ts';
import { type Connection, LOOK_TIMEOUT_MS } from './connection.ts';
import { imageNotFound, pullFault, statusOf, toAppError } from './errors.ts';
import { PAUSE_IMAGE } from './pause-image.ts';
import { createPullTally, type PullLine } from './pull-progress.ts';
import { watchSilence } from './silence.ts';

/** A pull that says nothing for so long is dead; the engine may be silent for a while before it unpacks a big layer. */
const PULL_SILENCE_MS = 5 * 60_000;
/** The longest a pull may take in all. */
const PULL_LIMIT_MS = 3 * 3_600_000;
const PROGRESS_EVERY_MS = 250;
/** Images whose user is remembered; the others are asked for again. */
const USERS_KEPT = 1_000;

const HOST = String.raw`(?:[a-zA-Z0-9](?:[a-zA-Z0-9.-]*[a-zA-Z0-9])?(?::\d+)?\/)?`;
const PART = String.raw`[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*`;
/** host[:port]/path:tag@digest, the grammar of the distribution project. Also matches ids without `sha256:`. */
const REFERENCE = new RegExp(
  String.raw`^(?<name>${HOST}${PART}(?:\/${PART})*)(?::(?<tag>\w[\w.-]{0,127}))?(?:@(?<digest>sha256:[a-f0-9]{64}))?$`,
);
const IMAGE_ID = /^sha256:[a-f0-9]{64}$/;

export interface Images {
  /** See `ContainerRuntime.ensureImage`. */
  ensure(
    image: string,
    policy: PullPolicy,
    options: { signal?: AbortSignal; onProgress?: (progress: PullProgress) => void },
  ): Promise<string>;
  /** See `ContainerRuntime.images`. */
  list(): Promise<StoredImage[]>;
  /** Whether programs of an image that is present run as root, unless they choose otherwise. */
  runsAsRoot(image: string): Promise<boolean>;
}

interface Pull {
  readonly promise: Promise<void>;
  readonly stop: AbortController;
  readonly listeners: Set<(progress: PullProgress) => void>;
  waiting: number;
}

export function createImages(connection: Connection, pullSilenceMs = PULL_SILENCE_MS): Images {
  const { docker } = connection;
  const pulls = new Map<string, Pull>();
  /** The user each image names, as of its last look. */
  const users = new Map<string, string>();

  /** The content id, or null when the engine does not have the image. */
  const find = async (image: string): Promise<string | null> => {
    const doing = `look for the image "${image}"`;
    try {
      const found = await connection.ask(
        doing,
        LOOK_TIMEOUT_MS,
        () => docker.getImage(image).inspect(),
        (error) => (statusOf(error) === 404 ? imageNotFound(image, '', error) : toAppError(error, doing)),
      );
      if (users.size >= USERS_KEPT) users.clear();
      users.set(image, found.Config?.User ?? '');
      return found.Id;
    } catch (error) {
      if (isAppError(error, 'image_not_found')) return null;
      throw error;
    }
  };

  const startPull = (image: string): Pull => {
    const stop = new AbortController();
    const listeners: Pull['listeners'] = new Set();
    const tell = (progress: PullProgress) => {
      for (const listener of listeners) listener(progress);
    };
    const own: Pull = {
      promise: pullImage({ connection, image, stop: stop.signal, tell, pullSilenceMs }).finally(() => {
        if (pulls.get(image) === own) pulls.delete(image);
      }),
      stop,
      listeners,
      waiting: 0,
    };
    pulls.set(image, own);
    return own;
  };

  const joinPull = async (
    image: string,
    signal: AbortSignal | undefined,
    onProgress: ((progress: PullProgress) => void) | undefined,
  ): Promise<void> => {
    const pull = pulls.get(image) ?? startPull(image);
    pull.waiting += 1;
    if (onProgress) pull.listeners.add(onProgress);
    try {
      await untilAborted(pull.promise, signal);
    } finally {
      if (onProgress) pull.listeners.delete(onProgress);
      pull.waiting -= 1;
      if (pull.waiting === 0) {
        // The next caller begins a pull of its own instead of joining one that is being stopped.
        if (pulls.get(image) === pull) pulls.delete(image);
        pull.stop.abort();
      }
    }
  };

  return {
    async ensure(image, policy, { signal, onProgress }) {
      if (!REFERENCE.test(image) && !IMAGE_ID.test(image)) {
        throw imageNotFound(image, 'that is not a valid image reference');
      }
      if (policy !== 'always') {
        const present = await find(image);
        if (present !== null) return present;
        if (policy === 'never') {
          throw imageNotFound(image, 'it is not on this worker, and the pull policy is "never"');
        }
      }
      if (IMAGE_ID.test(image)) throw imageNotFound(image, 'an image id cannot be pulled');
      await joinPull(image, signal, onProgress);
      const pulled = await find(image);
      if (pulled === null) throw imageNotFound(image, 'it was pulled and is gone again');
      return pulled;
    },
    async list() {
      const found = await connection.ask('list images', LOOK_TIMEOUT_MS, (abortSignal) =>
        docker.listImages({ abortSignal }),
      );
      return found.flatMap(({ RepoTags, Size, Created }) =>
        (RepoTags ?? [])
          // Older engines name what has only a digest, or nothing at all, so.
          .filter((name) => !name.includes('<none>') && name !== PAUSE_IMAGE)
          .map((name) => ({ name, sizeBytes: Size, createdAt: Created * 1_000 })),
      );
    },
    async runsAsRoot(image) {
      if (!users.has(image)) await find(image);
      // `name`, `number`, `name:group`; nothing means root.
      return /^(root|0+)?(:.*)?$/.test(users.get(image) ?? '');
    },
  };
}

interface Pulling {
  readonly connection: Connection;
  readonly image: string;
  readonly stop: AbortSignal;
  readonly tell: (progress: PullProgress) => void;
  readonly pullSilenceMs: number;
}

async function pullImage({ connection, image, stop, tell, pullSilenceMs }: Pulling): Promise<void> {
  const { name = image, tag = 'latest', digest } = REFERENCE.exec(image)?.groups ?? {};
  const silence = new AbortController();
  const limit = AbortSignal.timeout(PULL_LIMIT_MS);
  const abortSignal = AbortSignal.any([stop, silence.signal, limit]);
  const { heard, end } = watchSilence({
    connection,
    doing: `pull the image "${image}"`,
    mostMs: pullSilenceMs,
    tooLong: () => {
      const words = `the pull of "${image}" stood still for ${Math.round(pullSilenceMs / 1_000)} seconds`;
      // Whatever holds the connection may let go of the next one.
      return new AppError('image_pull_failed', words, { retryable: true });
    },
    giveUp: (error) => silence.abort(error),
  });
  const tally = createPullTally();
  let toldAt = 0;
  try {
    const stream = await connection.docker.createImage({
      fromImage: name,
      tag: digest ?? tag,
      abortSignal,
    } as never);
    for await (const line of jsonLines(stream as Readable)) {
      heard();
      const words = line.errorDetail?.message ?? line.error;
      if (words !== undefined) throw pullFault(new Error(words), image, true);
      tally.add(line);
      if (performance.now() - toldAt >= PROGRESS_EVERY_MS) {
        toldAt = performance.now();
        tell(tally.progress());
      }
    }
    tell(tally.progress());
  } catch (error) {
    if (silence.signal.aborted) throw silence.signal.reason;
    if (limit.aborted) {
      const hours = PULL_LIMIT_MS / 3_600_000;
      throw new AppError('image_pull_failed', `the pull of "${image}" was not over after ${hours} hours`);
    }
    throw pullFault(error, image);
  } finally {
    end();
  }
}

async function* jsonLines(stream: Readable): AsyncGenerator<PullLine> {
  let rest = '';
  stream.setEncoding('utf8');
  for await (const chunk of stream) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line.trim() !== '') yield parseLine(line);
  }
  if (rest.trim() !== '') yield parseLine(rest);
}

function parseLine(line: string): PullLine {
  try {
    return JSON.parse(line) as PullLine;
  } catch (error) {
    return { error: `the engine sent a line that is no JSON: ${messageOf(error)}` };
  }
}
