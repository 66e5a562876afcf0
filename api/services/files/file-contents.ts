// The bytes behind file records: reading them for an answer, and forgetting them. A record goes before its bytes,
// so that no record ever stands without them for long.

import { Readable } from 'node:stream';
import { AppError, isAppError } from '../../../shared/errors.ts';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { Principal } from '../../../shared/model/user.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { ByteRange, FileStore } from '../../../shared/ports/file-store.ts';
import type { FileRecordStore } from '../../../shared/ports/store.ts';
import { answerWithin } from '../deadline.ts';
import { exactBytes } from './exact-bytes.ts';
import type { Transfers } from './transfers.ts';

export interface FileContentsParts {
  readonly files: FileStore;
  readonly records: Pick<FileRecordStore, 'remove'>;
  readonly transfers: Transfers;
  readonly log: Log;
}

const DROP_PATIENCE_MS = 3_000;

export class FileContents {
  readonly #parts: FileContentsParts;

  constructor(parts: FileContentsParts) {
    this.#parts = parts;
  }

  /**
   * Exactly the bytes of the range; the stream fails when the store has others. Counted as under way until it closes.
   * @throws AppError `rate_limited`; `not_found` when the file went away in the meantime
   */
  async read(by: Principal, record: FileRecord, range: ByteRange): Promise<Readable> {
    const end = this.#parts.transfers.begin(by.userId);
    try {
      return (await this.open(record, range)).once('close', end);
    } catch (error) {
      end();
      throw error;
    }
  }

  /** The same without counting, for a file that is part of something counted. */
  async open(record: FileRecord, range: ByteRange = { start: 0, end: record.sizeBytes }): Promise<Readable> {
    const bytes = range.end - range.start;
    if (bytes === 0) return Readable.from([], { objectMode: false });
    const whole = bytes === record.sizeBytes;
    try {
      const source = await this.#parts.files.read(record.id, whole ? undefined : range);
      return exactBytes(source, bytes, `file ${record.id}`);
    } catch (error) {
      if (!isAppError(error, 'not_found')) throw error;
      this.#parts.log.warn(
        { fileId: record.id },
        'a file record without its bytes, unless it was just removed',
      );
      throw new AppError('not_found', `${record.path} is not there any more`, { cause: error });
    }
  }

  /** Records first. Bytes that cannot be removed are left behind: nothing names them any more. */
  async forget(records: readonly FileRecord[]): Promise<void> {
    if (records.length === 0) return;
    await this.#parts.records.remove(records.map(({ id }) => id));
    await this.drop(records.map(({ id }) => id));
  }

  /**
   * Bytes without a record. Never fails, and goes on by itself when it takes long: nobody can see them any more, so
   * nobody should wait for them.
   */
  async drop(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    const removed = this.#parts.files.remove(ids).catch((error: unknown) => {
      this.#parts.log.warn({ err: error, files: ids.length }, 'bytes of removed files stay behind');
    });
    await answerWithin(removed, DROP_PATIENCE_MS, 'the file store').catch(() => undefined);
  }
}
