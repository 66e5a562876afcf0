// Pulls an image that set-up itself needs. Tasks' images are the runner's business.

import type { Readable } from 'node:stream';
import type Docker from 'dockerode';
import { AppError, messageOf } from '../../shared/errors.ts';
import type { Note } from './progress.ts';

const PULL_DEADLINE_MS = 5 * 60_000;

interface PullEvent {
  readonly status?: string;
  readonly error?: string;
}

export async function hasImage(docker: Docker, image: string): Promise<boolean> {
  return docker
    .getImage(image)
    .inspect()
    .then(
      () => true,
      () => false,
    );
}

/** Makes an image present. @throws {AppError} `image_pull_failed`. */
export async function pullImage(docker: Docker, image: string, note: Note): Promise<void> {
  if (await hasImage(docker, image)) return;
  note(`pulling ${image}`);
  try {
    const stream = (await docker.pull(image)) as Readable;
    await followProgress(docker, stream);
  } catch (error) {
    throw new AppError('image_pull_failed', `${image} could not be pulled: ${messageOf(error)}`, {
      cause: error,
    });
  }
}

/** Reads a pull or import to its end; a fault comes as the last of its messages. */
export async function followProgress(
  docker: Docker,
  stream: Readable,
  deadlineMs = PULL_DEADLINE_MS,
): Promise<void> {
  const timer = setTimeout(
    () => stream.destroy(new Error(`not done after ${deadlineMs / 1_000} s`)),
    deadlineMs,
  );
  try {
    await new Promise<void>((done, refused) => {
      stream.once('error', refused);
      docker.modem.followProgress(stream, (error: Error | null, events: PullEvent[] | null) => {
        const fault = error?.message ?? events?.find((event) => event.error)?.error;
        if (fault) refused(new Error(fault));
        else done();
      });
    });
  } finally {
    clearTimeout(timer);
  }
}
