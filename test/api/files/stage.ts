// A listening API whose file store is on disk or in GridFS, with what tests of files do all the time: tasks that left
// files, calls with bytes in and out, and a raw socket for what `fetch` would put right.

import { type IncomingHttpHeaders, request } from 'node:http';
import { Readable } from 'node:stream';
import { openDiskFileStore } from '../../../shared/adapters/disk/file-store.ts';
import { openMongo } from '../../../shared/adapters/mongo/open.ts';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { Attempt, Task } from '../../../shared/model/task.ts';
import { newId } from '../../../shared/platform/ids.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import { mongoUrl, tempDir } from '../../support/servers.ts';
import { makeAttempt, makeTask } from '../../support/tasks.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';

export const BYTE_STORES = ['disk', 'GridFS'] as const;
export type ByteStore = (typeof BYTE_STORES)[number];

export interface FileStage {
  readonly test: TestApi;
  readonly url: string;
  /** As the API sees it: what a test replaces here, the API uses. */
  readonly files: { -readonly [K in keyof FileStore]: FileStore[K] };
  /** The admin. */
  readonly admin: Person;
  readonly alice: Person;
  readonly bob: Person;
  /** A task with these attempts, all ended but the last when `running`. */
  task(owner: Person, options?: { attempts?: number; running?: boolean }): Promise<Task>;
  /** What an attempt left, as a runner keeps it. */
  leave(task: Task, path: string, content: string | Buffer, attempt?: number): Promise<FileRecord>;
  fetch(as: Person | null, method: string, path: string, options?: FetchOptions): Promise<Response>;
  /** Without any tidying of the path. */
  raw(
    as: Person,
    method: string,
    path: string,
  ): Promise<{ status: number; headers: IncomingHttpHeaders; text: string }>;
  close(): Promise<void>;
}

export interface FetchOptions {
  readonly headers?: Record<string, string>;
  readonly body?: string | Uint8Array | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal;
}

export async function openFileStage(
  kind: ByteStore = 'disk',
  { env, clock }: { env?: Record<string, string>; clock?: Clock } = {},
): Promise<FileStage> {
  const bytes = await openBytes(kind);
  const files = {
    write: (...args: Parameters<FileStore['write']>) => bytes.store.write(...args),
    read: (...args: Parameters<FileStore['read']>) => bytes.store.read(...args),
    remove: (...args: Parameters<FileStore['remove']>) => bytes.store.remove(...args),
  };
  const parts = clock ? { files, clock } : { files };
  const test = await openTestApi({ ...(env ? { env } : {}), parts: () => parts });
  const admin = await test.signUp('root');
  const alice = await test.signUp('alice');
  const bob = await test.signUp('bob');
  const url = await test.api.start();
  return {
    test,
    url,
    files,
    admin,
    alice,
    bob,
    task: async (owner, { attempts = 1, running = false } = {}) => {
      const task = makeTask(
        {},
        {
          ownerId: owner.id,
          ownerName: owner.username,
          state: running ? 'running' : 'completed',
          attempt: Math.max(1, attempts),
          attempts: Array.from({ length: attempts }, (_, n) =>
            madeAttempt(n + 1, running && n + 1 === attempts),
          ),
          finishedAt: running ? null : 9,
        },
      );
      await test.store.tasks.insert([task]);
      return task;
    },
    leave: async (task, path, content, attempt = task.attempt) => {
      const id = newId('file');
      const written = await bytes.store.write(id, Readable.from([Buffer.from(content)]), {
        maxBytes: 2 ** 30,
      });
      const file: FileRecord = {
        id,
        ownerId: task.ownerId,
        taskId: task.id,
        attempt,
        path,
        contentType: 'text/plain',
        createdAt: Date.parse('2026-01-02T03:04:06.000Z'),
        ...written,
      };
      await test.store.files.put([file]);
      return file;
    },
    fetch: (as, method, path, { headers = {}, ...more } = {}) =>
      fetch(`${url}${path}`, {
        method,
        headers: { ...(as ? { authorization: `Bearer ${as.token}` } : {}), ...headers },
        duplex: 'half',
        ...more,
      } as RequestInit),
    raw: (as, method, path) =>
      new Promise((resolve, reject) => {
        const { hostname, port } = new URL(url);
        const headers = { authorization: `Bearer ${as.token}` };
        const asked = request({ hostname, port, method, path, headers }, (reply) => {
          let text = '';
          reply.setEncoding('utf8');
          reply.on('data', (chunk) => {
            text += chunk;
          });
          reply.on('end', () => resolve({ status: reply.statusCode ?? 0, headers: reply.headers, text }));
        });
        asked.on('error', reject).end();
      }),
    close: async () => {
      await test.close();
      await bytes.close();
    },
  };
}

async function openBytes(kind: ByteStore): Promise<{ store: FileStore; close: () => Promise<void> }> {
  if (kind === 'GridFS') {
    const { store, files } = await openMongo(mongoUrl());
    return { store: files, close: () => store.close() };
  }
  const { path, remove } = await tempDir();
  return { store: await openDiskFileStore(path), close: remove };
}

function madeAttempt(number: number, isRunning: boolean): Attempt {
  return makeAttempt({
    number,
    workerId: 'w1',
    containerId: 'c',
    state: isRunning ? 'running' : 'completed',
    finishedAt: isRunning ? null : 3,
    exitCode: isRunning ? null : 0,
  });
}
