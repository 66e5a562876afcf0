// A user's own space of files: uploads by path, and the list of all files including what tasks left. Bytes are
// written before the record that names them, so that nobody ever finds a part of a file. Knows nothing of HTTP.

import type { Readable } from 'node:stream';
import { AppError, isAppError } from '../../../shared/errors.ts';
import type { FileRecord } from '../../../shared/model/file.ts';
import { type Principal, usernameKey } from '../../../shared/model/user.ts';
import { newId } from '../../../shared/platform/ids.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { FileStore } from '../../../shared/ports/file-store.ts';
import type { FilePage, FilePlace, FileRecordStore, UserStore } from '../../../shared/ports/store.ts';
import { storeAnswer } from '../deadline.ts';
import type { Quotas, UploadRoom } from '../quotas.ts';
import { requireRight } from '../rights.ts';
import type { FileContents } from './file-contents.ts';
import type { FileTotal } from './task-files.ts';
import type { Transfers } from './transfers.ts';

export interface UserFilesParts {
  readonly users: UserStore;
  readonly records: FileRecordStore;
  readonly files: FileStore;
  readonly contents: FileContents;
  readonly transfers: Transfers;
  readonly quotas: Quotas;
  /** Largest upload. */
  readonly maxBytes: number;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Upload {
  readonly path: string;
  readonly contentType: string;
  /** As announced; null when the sender does not say. */
  readonly sizeBytes: number | null;
  /** What it must hash to, hex; null when the sender does not say. */
  readonly sha256: string | null;
  /** Only when there is no file at this path. */
  readonly onlyNew: boolean;
}

export interface Uploaded {
  readonly file: FileRecord;
  /** Whether there was a file at this path before. */
  readonly replaced: boolean;
}

export class UserFiles {
  readonly #parts: UserFilesParts;

  constructor(parts: UserFilesParts) {
    this.#parts = parts;
  }

  /** @throws AppError `forbidden`, `not_found` (of a user), `invalid_request` for a wrong cursor */
  async list(
    by: Principal,
    query: { username?: string | undefined; limit: number; after?: string | undefined },
  ): Promise<FilePage & { readonly total: FileTotal }> {
    const { records } = this.#parts;
    const filter = { ownerId: await this.#ownerAskedFor(by, query.username) };
    const [page, total] = await Promise.all([records.list(filter, query), records.total(filter)]);
    return { ...page, total };
  }

  /** An upload. @throws AppError `not_found`, `forbidden` */
  async find(by: Principal, path: string, username?: string): Promise<FileRecord> {
    const ownerId = await this.#ownerAskedFor(by, username);
    const found = await this.#parts.records.find(placeOf(ownerId, path));
    if (found) return found;
    throw new AppError('not_found', `there is no upload ${path}; GET /api/files lists them`);
  }

  /** @throws AppError `not_found`, `forbidden` */
  async remove(by: Principal, path: string, username?: string): Promise<void> {
    requireRight(by, 'file.delete');
    await this.#parts.contents.forget([await this.find(by, path, username)]);
  }

  /**
   * Keeps all of `content` under the path, in place of what was there, or nothing. Of two uploads to one path at the
   * same time the one that ends later stays.
   * @throws AppError `too_large`; `quota_exceeded`; `conflict` when there is a file that may not be replaced; `invalid_request` for a
   *   wrong checksum; `rate_limited`; what `content` fails with
   */
  async upload(by: Principal, upload: Upload, content: Readable): Promise<Uploaded> {
    requireRight(by, 'file.upload');
    const end = this.#parts.transfers.begin(by.userId);
    try {
      return await this.#upload(by, upload, content);
    } finally {
      end();
    }
  }

  async #upload(by: Principal, upload: Upload, content: Readable): Promise<Uploaded> {
    const { contents, quotas, clock } = this.#parts;
    const place = placeOf(by.userId, upload.path);
    const room = await storeAnswer(this.#room(by, upload, place));
    if (room !== null && (upload.sizeBytes ?? 0) > room.bytes) throw room.refusal(upload.sizeBytes);
    const id = newId('file');
    const { sizeBytes, sha256 } = await this.#write(id, content, room);
    try {
      if (upload.sha256 !== null && upload.sha256 !== sha256) {
        throw new AppError('invalid_request', `the bytes hash to ${sha256}, not to what the sender says`);
      }
      if (upload.onlyNew) await storeAnswer(this.#refuseThere(place));
    } catch (error) {
      await contents.drop([id]);
      throw error;
    }
    const { contentType } = upload;
    const file: FileRecord = { ...place, id, sizeBytes, contentType, sha256, createdAt: clock.now() };
    const kept = quotas.keep(file, () => this.#name(file));
    const before = await storeAnswer(kept).catch(async (error: unknown) => {
      if (isAppError(error, 'quota_exceeded')) await contents.drop([id]);
      throw error;
    });
    await contents.drop(before.map((old) => old.id));
    return { file, replaced: before.length > 0 };
  }

  async #room(by: Principal, { onlyNew, path }: Upload, place: FilePlace): Promise<UploadRoom | null> {
    if (onlyNew) await this.#refuseThere(place);
    return this.#parts.quotas.uploadRoom(by.userId, path);
  }

  async #write(id: string, content: Readable, room: UploadRoom | null) {
    const { files, maxBytes } = this.#parts;
    const most = Math.min(maxBytes, Math.max(0, room?.bytes ?? maxBytes));
    try {
      return await files.write(id, content, { maxBytes: most });
    } catch (error) {
      if (!isAppError(error, 'too_large')) throw error;
      throw room !== null && most < maxBytes ? room.refusal(null) : tooLarge(maxBytes);
    }
  }

  /** Whether a write that failed was made after all is not known, so the record is asked for. */
  async #name(file: FileRecord): Promise<FileRecord[]> {
    const { records, contents, log } = this.#parts;
    try {
      return await records.put([file]);
    } catch (error) {
      const found = await records.find(file).catch(() => undefined);
      if (found?.id === file.id) return [];
      // When the store says nothing, bytes without a record are better than a record without bytes.
      if (found === undefined) log.warn({ fileId: file.id }, 'bytes of an upload that may have no record');
      else await contents.drop([file.id]);
      throw error;
    }
  }

  async #refuseThere(place: FilePlace): Promise<void> {
    if ((await this.#parts.records.find(place)) === null) return;
    throw new AppError('conflict', `there is an upload ${place.path} already`);
  }

  /** @throws AppError `forbidden`, `not_found` */
  async #ownerAskedFor(by: Principal, username: string | undefined): Promise<string> {
    if (username === undefined || usernameKey(username) === usernameKey(by.username)) return by.userId;
    requireRight(by, 'file.see_others');
    const user = await this.#parts.users.findByUsername(username);
    if (user) return user.id;
    throw new AppError('not_found', `there is no user ${username}`);
  }
}

/** @param maxBytes as in the settings: whole MB */
export function tooLarge(maxBytes: number): AppError {
  return new AppError('too_large', `a file may have at most ${maxBytes / 2 ** 20} MB here (FILE_MAX_MB)`);
}

function placeOf(ownerId: string, path: string): FilePlace {
  return { ownerId, taskId: null, attempt: null, path };
}
