// Copies of the embedded store: made with VACUUM INTO, taken in from a stream, checked, brought up to the newest layout.

import { createHash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { AppError, isAppError } from '../../errors.ts';
import type { CopyComparison } from '../../model/copy-comparison.ts';
import type {
  ExpectedCopy,
  ReceivedCopy,
  Replacement,
  StoreCopies,
  StoreCopy,
} from '../../ports/store-copies.ts';
import { type CopyFolder, makeCopyFolder } from './copy-folder.ts';
import { copyInto } from './copy-into.ts';
import { type DatabaseThread, onThread, quoted } from './database-thread.ts';
import { asFileFault } from './errors.ts';
import { NEWEST_VERSION, newerWords, type SchemaRelease, SELECT_RELEASES, stepsFrom } from './migrations.ts';
import { compareContents, replaceContents } from './replacing.ts';

export class SqliteStoreCopies implements StoreCopies {
  readonly schemaVersion = NEWEST_VERSION;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  async take(): Promise<StoreCopy> {
    return this.#inFolder(async (folder) => {
      const path = join(folder.path, 'taken.db');
      await copyInto(this.#path, path);
      await onThread(path, checkIntegrity);
      const { sizeBytes, sha256 } = await measure(createReadStream(path));
      return { sizeBytes, sha256, read: () => createReadStream(path), discard: () => folder.remove() };
    });
  }

  async receive(content: Readable, expected: ExpectedCopy | null): Promise<ReceivedCopy> {
    return this.#inFolder(async (folder) => {
      const path = join(folder.path, 'received.db');
      const got = await keep(content, path);
      if (expected && (got.sizeBytes !== expected.sizeBytes || got.sha256 !== expected.sha256)) {
        throw refuse(
          'its database is not what its checksum says: the file is damaged, take another copy of it',
        );
      }
      const schemaVersion = await onThread(path, bringUp).catch((error) => {
        // A fault of what was sent, and not of the store.
        if (isAppError(error, 'store_unavailable')) throw refuse('its database cannot be read', error);
        throw error;
      });
      return new Received(this.#path, path, schemaVersion, folder);
    }).catch((error) => {
      content.destroy();
      throw error;
    });
  }

  async #inFolder<T>(work: (folder: CopyFolder) => Promise<T>): Promise<T> {
    try {
      const folder = await makeCopyFolder(this.#path);
      try {
        return await work(folder);
      } catch (error) {
        await folder.remove();
        throw error;
      }
    } catch (error) {
      throw asFileFault(error, this.#path);
    }
  }
}

class Received implements ReceivedCopy {
  readonly #database: string;
  readonly #path: string;
  readonly schemaVersion: number;
  readonly #folder: CopyFolder;

  constructor(database: string, path: string, schemaVersion: number, folder: CopyFolder) {
    this.#database = database;
    this.#path = path;
    this.schemaVersion = schemaVersion;
    this.#folder = folder;
  }

  compare(): Promise<CopyComparison> {
    return this.#attached(compareContents);
  }

  async replace(now: number): Promise<Replacement> {
    const at = new Date(now).toISOString().replaceAll(':', '-');
    const safetyCopy = `${this.#database}.before-restore-${at}`;
    let isKept = false;
    const keepPresent = async () => {
      await copyInto(this.#database, safetyCopy);
      isKept = true;
    };
    try {
      const generation = await this.#attached((db) => replaceContents(db, { now, keepPresent }));
      return { safetyCopy, generation };
    } catch (error) {
      if (isKept) await rm(safetyCopy, { force: true });
      throw error;
    }
  }

  discard(): Promise<void> {
    return this.#folder.remove();
  }

  async #attached<T>(work: (db: DatabaseThread) => Promise<T>): Promise<T> {
    try {
      return await onThread(this.#database, async (db) => {
        await db.exec(`PRAGMA synchronous = NORMAL; ATTACH ${quoted(this.#path)} AS copy`);
        return work(db);
      });
    } catch (error) {
      throw asFileFault(error, this.#database);
    }
  }
}

async function checkIntegrity(db: DatabaseThread): Promise<void> {
  const found = await db.all<{ integrity_check: string }>('PRAGMA integrity_check(1)');
  const [first] = found;
  if (found.length !== 1 || first?.integrity_check !== 'ok') {
    throw new AppError('internal', `the database is damaged: ${first?.integrity_check ?? 'it says nothing'}`);
  }
}

/** Checks what came and brings it up to the newest layout. Returns the layout in which it came. */
async function bringUp(db: DatabaseThread): Promise<number> {
  await db.exec('PRAGMA trusted_schema = OFF');
  const parts = await db.all<{ type: string; name: string }>('SELECT type, name FROM sqlite_master');
  const hasVersion = parts.some(({ type, name }) => type === 'table' && name === 'schema_version');
  const [row] = hasVersion ? await db.all<{ version: number }>('SELECT version FROM schema_version') : [];
  if (!row || parts.some(({ type }) => type !== 'table' && type !== 'index')) {
    throw refuse('its database is none of CloudAI');
  }
  if (row.version > NEWEST_VERSION) {
    const hasReleases = parts.some(({ type, name }) => type === 'table' && name === 'schema_releases');
    const releases = hasReleases ? await db.all<SchemaRelease>(SELECT_RELEASES) : [];
    throw refuse(`${newerWords(row.version, releases)} on the whole cluster first`);
  }
  await checkIntegrity(db).catch((error) => {
    throw refuse('its database is damaged', error);
  });
  if (row.version < NEWEST_VERSION) {
    await db.exec('BEGIN IMMEDIATE');
    for (const step of stepsFrom(row.version)) await db.exec(step);
    await db.run('UPDATE schema_version SET version = ?', [NEWEST_VERSION]);
    await db.exec('COMMIT');
  }
  return row.version;
}

async function keep(content: Readable, path: string): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  const count = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      hash.update(chunk);
      sizeBytes += chunk.length;
      yield chunk;
    }
  };
  await pipeline(content, count, createWriteStream(path, { mode: 0o600, flags: 'wx' }));
  return { sizeBytes, sha256: hash.digest('hex') };
}

async function measure(content: Readable): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of content) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}

function refuse(why: string, cause?: unknown): AppError {
  return new AppError('invalid_request', `the backup cannot be used: ${why}`, { cause });
}
