// A backup as bytes: a tar archive of a manifest and the database, so that years later any tar and any sqlite3 can open it.
// Holds no more than a chunk of the database in memory.

import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { manifestSchema } from '../../../shared/contracts/backup-schemas.ts';
import { type BackupManifest, DATABASE_NAME, MANIFEST_NAME } from '../../../shared/contracts/backups.ts';
import { AppError, isAppError, messageOf } from '../../../shared/errors.ts';
import { accept } from '../../validation.ts';

/** What a bare database begins with: a copy that the store itself has kept. */
const SQLITE_START = 'SQLite format 3\0';
const MANIFEST_MAX_BYTES = 64 * 1_024;

/** The same bytes for the same manifest. */
export function packBackup(manifest: BackupManifest, database: Readable): Readable {
  const archive = pack();
  const mtime = new Date(manifest.created_at);
  const text = `${JSON.stringify(manifest, null, 2)}\n`;
  archive.entry({ name: MANIFEST_NAME, mode: 0o600, mtime }, text);
  const { size_bytes: size } = manifest.database;
  const entry = archive.entry({ name: DATABASE_NAME, mode: 0o600, mtime, size }, (error) => {
    if (error) archive.destroy(error);
    else archive.finalize();
  });
  pipeline(database, entry).catch((error: Error) => archive.destroy(error));
  archive.on('close', () => database.destroy());
  return Readable.from(archive, { objectMode: false });
}

/**
 * Hands the database of a backup to `take`, with the manifest or, for a bare database, null.
 * Throws what `take` throws, `invalid_request` for what is no backup, and what `content` fails with.
 */
export async function unpackBackup<T>(
  content: Readable,
  take: (manifest: BackupManifest | null, database: Readable) => Promise<T>,
): Promise<T> {
  const chunks = content[Symbol.asyncIterator]() as AsyncIterator<Buffer>;
  let start = Buffer.alloc(0);
  while (start.length < SQLITE_START.length) {
    const { done, value } = await chunks.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const whole = Readable.from(withStart(start, chunks), { objectMode: false });
  if (start.toString('latin1').startsWith(SQLITE_START)) return take(null, whole);
  return unpackArchive(whole, take);
}

async function unpackArchive<T>(
  content: Readable,
  take: (manifest: BackupManifest, database: Readable) => Promise<T>,
): Promise<T> {
  const archive = extract();
  const reading = pipeline(content, archive);
  // Seen below, at the latest when all entries were.
  reading.catch(() => undefined);
  let manifest: BackupManifest | null = null;
  let taken: { result: T } | null = null;
  try {
    for await (const entry of archive) {
      const { name } = entry.header;
      if (manifest === null) {
        if (name !== MANIFEST_NAME) throw refuse(`it does not begin with ${MANIFEST_NAME}`);
        manifest = readManifest(await textOf(entry as AsyncIterable<Uint8Array>));
      } else if (name === DATABASE_NAME && taken === null) {
        taken = { result: await take(manifest, Readable.from(entry, { objectMode: false })) };
      } else entry.resume();
    }
    await reading;
  } catch (error) {
    throw isAppError(error) ? error : refuse(messageOf(error), error);
  }
  if (taken === null) throw refuse(`there is no ${DATABASE_NAME} in it`);
  return taken.result;
}

function readManifest(text: string): BackupManifest {
  let said: unknown;
  try {
    said = JSON.parse(text);
  } catch (error) {
    throw refuse(`${MANIFEST_NAME} is no JSON`, error);
  }
  try {
    return accept(manifestSchema, said);
  } catch (error) {
    throw refuse(`its ${MANIFEST_NAME} is of another kind or a newer release: ${messageOf(error)}`, error);
  }
}

async function textOf(content: AsyncIterable<Uint8Array>): Promise<string> {
  const parts: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of content) {
    bytes += chunk.length;
    if (bytes > MANIFEST_MAX_BYTES) throw refuse(`its ${MANIFEST_NAME} is too large`);
    parts.push(chunk);
  }
  return Buffer.concat(parts).toString('utf8');
}

async function* withStart(start: Buffer, rest: AsyncIterator<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  try {
    for (;;) {
      const { done, value } = await rest.next();
      if (done) return;
      yield value;
    }
  } finally {
    await rest.return?.();
  }
}

function refuse(why: string, cause?: unknown): AppError {
  return new AppError('invalid_request', `this is no backup of CloudAI, or a damaged one: ${why}`, { cause });
}
