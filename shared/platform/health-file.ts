// A sign of life for whoever can only look at files, such as the health check of a container: a file that is renewed as
// long as the event loop turns. It says nothing of the store, Redis or the engine: for those a process waits, and to start
// it anew would not bring them back.

import { writeFile } from 'node:fs/promises';
import { messageOf } from '../errors.ts';
import type { Log } from './log.ts';

/** A file that is older than a minute was missed a dozen times; see infra/container/health.sh. */
export const RENEW_MS = 5_000;

/** @param path null: none is wanted */
export function renewHealthFile(path: string | null, log: Pick<Log, 'warn'>): void {
  if (path === null) return;
  let failed = false;
  const renew = () =>
    writeFile(path, `${process.pid}\n`).then(
      () => {
        failed = false;
      },
      (error) => {
        if (!failed) log.warn({ path, err: error }, `HEALTH_FILE cannot be written: ${messageOf(error)}`);
        failed = true;
      },
    );
  void renew();
  setInterval(renew, RENEW_MS).unref();
}
