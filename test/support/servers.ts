// Where the real servers of the tests are. `npm test` starts them and sets these variables; by hand the
// defaults are a local Redis and Docker. Nothing here falls back to a double.

import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const redisUrl = process.env.REDIS_URL ?? 'redis://127.0.0.1:6379';

/** A server that speaks MongoDB's protocol. Missing it is a failure, not a skip. */
export function mongoUrl(database = uniqueName('t')): string {
  const url = process.env.MONGODB_URL;
  if (!url)
    throw new Error('MONGODB_URL is not set: run the tests through "npm test", which brings a server up');
  const parsed = new URL(url);
  parsed.pathname = `/${database}`;
  return parsed.toString();
}

/** A small image that `npm test` and `npm start` make locally; it has a shell and the busybox tools. */
export const TEST_IMAGE = 'cloudai/busybox:local';

/** For Redis prefixes, databases and worker ids, so that test files never meet. */
export function uniqueName(start: string): string {
  return `${start}${randomBytes(5).toString('hex')}`;
}

export async function tempDir(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'cloudai-test-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}
