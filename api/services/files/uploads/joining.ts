// The parts of an upload, all there, become one file: its bytes, then its record. May be done again from the start by
// any process that finds it half done: the file has the same id and the same bytes each time.

import { Readable } from 'node:stream';
import { AppError } from '../../../../shared/errors.ts';
import type { FileRecord } from '../../../../shared/model/file.ts';
import { fileOfUpload, type Upload, type UploadPart } from '../../../../shared/model/upload.ts';
import type { Clock } from '../../../../shared/ports/clock.ts';
import type { FileStore } from '../../../../shared/ports/file-store.ts';
import type { FileRecordStore } from '../../../../shared/ports/store.ts';
import { storeAnswer } from '../../deadline.ts';
import type { Quotas } from '../../quotas.ts';
import { exactBytes } from '../exact-bytes.ts';
import type { FileContents } from '../file-contents.ts';

export interface JoiningParts {
  readonly files: FileStore;
  readonly records: FileRecordStore;
  readonly contents: FileContents;
  readonly quotas: Quotas;
  readonly clock: Clock;
}

export interface Joined {
  readonly file: FileRecord;
  readonly replaced: boolean;
}

/**
 * @param stillOurs asked before the file takes its place; throws when another process has taken over
 * @throws AppError `checksum_mismatch`, or `conflict` when there is a file that may not be replaced: such an upload can
 *   never be finished, its bytes are for the caller to drop; `quota_exceeded`: it can, once there is room
 */
export async function joinParts(
  { files, records, contents, quotas, clock }: JoiningParts,
  upload: Upload,
  stillOurs: () => Promise<void>,
): Promise<Joined> {
  const { fileId, sizeBytes } = upload;
  const place = fileOfUpload(upload, '', 0);
  const there = await storeAnswer(records.find(place));
  // A process that died before it could say so.
  if (there?.id === fileId) return { file: there, replaced: false };
  if (upload.onlyNew && there !== null) throw taken(upload);
  const whole = Readable.from(bytesOf(files, upload.parts), { objectMode: false });
  const { sha256 } = await files.write(fileId, whole, { maxBytes: sizeBytes });
  if (upload.sha256 !== null && upload.sha256 !== sha256) {
    await contents.drop([fileId]);
    throw new AppError(
      'checksum_mismatch',
      `the bytes of ${upload.path} hash to ${sha256}, not to what the sender says: begin anew`,
    );
  }
  const now = upload.onlyNew ? await storeAnswer(records.find(place)) : null;
  if (now !== null && now.id !== fileId) {
    await contents.drop([fileId]);
    throw taken(upload);
  }
  await stillOurs();
  const file = fileOfUpload(upload, sha256, clock.now());
  // When this fails the bytes stay for the next try, which writes them over.
  const before = await storeAnswer(quotas.keep(file, () => records.put([file])));
  await contents.drop(before.map(({ id }) => id));
  return { file, replaced: before.length > 0 };
}

async function* bytesOf(files: FileStore, parts: readonly UploadPart[]): AsyncGenerator<Buffer> {
  for (const { id, sizeBytes } of parts) yield* exactBytes(await files.read(id), sizeBytes, `part ${id}`);
}

function taken({ path }: Upload): AppError {
  return new AppError('conflict', `there is an upload ${path} already`);
}
