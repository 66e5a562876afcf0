// The store, the log store and the file store of a cluster on MongoDB, or a server that speaks its protocol (see ADR 0005). It
// must use nothing that needs transactions, change streams or TTL indexes.

import { GridFSBucket, MongoClient, type MongoClientOptions } from 'mongodb';
import { AppError, messageOf } from '../../errors.ts';
import type { FileStore } from '../../ports/file-store.ts';
import type { LogStore } from '../../ports/log-store.ts';
import type { Store } from '../../ports/store.ts';
import { MongoAuditStore } from './audit-store.ts';
import { BUCKET_NAME, collectionsOf, ensureIndexes } from './collections.ts';
import { asAppError, guarded, unavailable, upserting } from './errors.ts';
import { MongoFileRecordStore } from './file-record-store.ts';
import { CHUNK_BYTES, MongoFileStore } from './file-store.ts';
import { MongoHistoryStore } from './history-store.ts';
import { MongoLogStore } from './log-store.ts';
import { MongoRegistrationStore } from './registration-store.ts';
import { TaskBatches } from './task-batches.ts';
import { MongoTaskStore } from './task-store.ts';
import { MongoUploadStore } from './upload-store.ts';
import { MongoUserStore } from './user-store.ts';
import { MongoWebhookStore } from './webhook-store.ts';
import { MongoWorkerStore } from './worker-store.ts';

/** Every wait has an end. What the URL says goes before these. */
const DEFAULTS = {
  serverSelectionTimeoutMS: 5_000,
  connectTimeoutMS: 5_000,
  socketTimeoutMS: 30_000,
  waitQueueTimeoutMS: 10_000,
  // A process of this project needs few, and a cluster has many processes.
  maxPoolSize: 20,
  appName: 'cloudai',
} as const satisfies MongoClientOptions;

const DEFAULT_DATABASE = 'cloudai';

export interface MongoParts {
  readonly store: Store;
  readonly logs: LogStore;
  readonly files: FileStore;
}

/**
 * Opens the database that the path of `url` names (`cloudai` without one) with the indexes it needs. Closing the
 * store closes all. Throws `store_unavailable` when it cannot be reached, `bad_config` when the URL is malformed.
 */
export async function openMongo(url: string): Promise<MongoParts> {
  const client = connectTo(url);
  try {
    await client.connect();
    const db = client.db(databaseOf(url));
    const collections = collectionsOf(db);
    await ensureIndexes(collections);
    const batches = new TaskBatches(collections);
    await batches.settle();
    const bucket = new GridFSBucket(db, { bucketName: BUCKET_NAME, chunkSizeBytes: CHUNK_BYTES });
    const files = new MongoFileStore(bucket, collections);
    await files.sweep();
    const store: Store = {
      tasks: new MongoTaskStore(collections, batches),
      workers: new MongoWorkerStore(collections),
      registrations: new MongoRegistrationStore(collections),
      users: new MongoUserStore(collections),
      files: new MongoFileRecordStore(collections),
      uploads: new MongoUploadStore(collections),
      history: new MongoHistoryStore(collections),
      webhooks: new MongoWebhookStore(collections),
      audit: new MongoAuditStore(collections),
      nextTerm: () =>
        upserting(async () => {
          await batches.settle();
          const written = await collections.counters.findOneAndUpdate(
            { _id: 'term' },
            { $inc: { value: 1 } },
            { upsert: true, returnDocument: 'after' },
          );
          if (written === null) throw unavailable('the leadership term was not written');
          return written.value;
        }),
      copies: null,
      generation: async () => 0,
      ping: () =>
        guarded(async () => {
          await db.command({ ping: 1 });
        }),
      close: () => guarded(() => client.close()),
    };
    return { store, logs: new MongoLogStore(collections), files };
  } catch (error) {
    await client.close().catch(() => undefined);
    throw asAppError(error);
  }
}

function connectTo(url: string): MongoClient {
  const given = new Set(
    [...new URLSearchParams(url.split('?')[1] ?? '').keys()].map((key) => key.toLowerCase()),
  );
  const own = Object.entries(DEFAULTS).filter(([key]) => !given.has(key.toLowerCase()));
  // A write that returned is on the disks of most members. Spelled out because a standalone server does less.
  const durable =
    given.has('w') || given.has('journal') ? {} : { writeConcern: { w: 'majority', journal: true } as const };
  try {
    return new MongoClient(url, { ...Object.fromEntries(own), ...durable });
  } catch (error) {
    throw new AppError('bad_config', `STORE_URL is not a MongoDB URL: ${messageOf(error)}`, { cause: error });
  }
}

function databaseOf(url: string): string {
  const path = /^mongodb(?:\+srv)?:\/\/[^/]*\/([^?]*)/.exec(url)?.[1] ?? '';
  return path === '' ? DEFAULT_DATABASE : decodeURIComponent(path);
}
