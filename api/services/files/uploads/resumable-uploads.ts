// Uploads that may be sent in several goes, over several connections and to several copies of the API: begun, written on
// from where they are, asked for, given up. Knows nothing of HTTP.
//
// What has come lies in the file store as parts, and the record in the store names them, so any process may go on. A
// process that is killed loses the part it was writing: at most PART_BYTES, or what came in PART_MS.

import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { AppError, isAppError } from '../../../../shared/errors.ts';
import {
  announceSum,
  finishUpload,
  MAX_OPEN_UPLOADS,
  MAX_PARTS,
  newUpload,
  type Upload,
  uploadOffset,
} from '../../../../shared/model/upload.ts';
import type { Principal } from '../../../../shared/model/user.ts';
import { newId } from '../../../../shared/platform/ids.ts';
import type { Log } from '../../../../shared/platform/log.ts';
import type { UploadStore } from '../../../../shared/ports/store.ts';
import { storeAnswer } from '../../deadline.ts';
import { requireRight } from '../../rights.ts';
import type { Transfers } from '../transfers.ts';
import { tooLarge } from '../user-files.ts';
import { type JoiningParts, joinParts } from './joining.ts';
import { PartCutter } from './part-cutter.ts';
import { Writing } from './writing.ts';

export interface ResumableUploadsParts extends JoiningParts {
  readonly uploads: UploadStore;
  readonly transfers: Transfers;
  /** Largest upload. */
  readonly maxBytes: number;
  readonly log: Log;
}

export interface UploadPlan {
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** What the whole must hash to, hex; null when the sender does not say, or says it later. */
  readonly sha256: string | null;
  readonly onlyNew: boolean;
  /** As it came. */
  readonly metadata: string;
}

export interface Piece {
  /** Where its first byte belongs. */
  readonly offset: number;
  /** Of the whole file, hex. */
  readonly sha256: string | null;
  /** Of this piece alone: it is kept as a whole and only when that is right. */
  readonly sum: { readonly algorithm: string; readonly digest: Buffer } | null;
  readonly signal: AbortSignal;
}

const PART_BYTES = 16 * 1_048_576;
const PART_MS = 20_000;
/** Of a record that changes while it is to be removed. */
const REMOVE_TRIES = 5;

export class ResumableUploads {
  readonly #parts: ResumableUploadsParts;
  readonly #open = new Set<Promise<unknown>>();

  constructor(parts: ResumableUploadsParts) {
    this.#parts = parts;
  }

  /** @throws AppError `too_large`; `quota_exceeded`; `conflict` for a path that is taken, and when the user has too many */
  async begin(by: Principal, plan: UploadPlan): Promise<Upload> {
    requireRight(by, 'upload.begin');
    const { uploads, records, quotas, maxBytes, clock } = this.#parts;
    if (plan.sizeBytes > maxBytes) throw tooLarge(maxBytes);
    const ids = { id: newId('upload'), fileId: newId('file'), ownerId: by.userId };
    const upload = newUpload({ ...ids, ...plan }, clock.now());
    const place = { ownerId: by.userId, taskId: null, attempt: null, path: plan.path };
    if (plan.onlyNew && (await records.find(place)) !== null) {
      throw new AppError('conflict', `there is an upload ${plan.path} already`);
    }
    const insert = () => uploads.insert(upload, MAX_OPEN_UPLOADS);
    if (!(await quotas.announce(by.userId, plan.path, plan.sizeBytes, insert))) {
      throw new AppError(
        'conflict',
        `you have ${MAX_OPEN_UPLOADS} unfinished uploads: finish some or delete them; GET /api/uploads lists them`,
      );
    }
    if (plan.sizeBytes > 0) return upload;
    const nothing = { offset: 0, sha256: null, sum: null, signal: new AbortController().signal };
    return this.append(by, upload.id, nothing, Readable.from([]));
  }

  /** The owner's only. @throws AppError `not_found`, also for one that has expired */
  async get(by: Principal, id: string): Promise<Upload> {
    const found = await this.#parts.uploads.get(id);
    if (found !== null && found.ownerId === by.userId && found.expiresAt > this.#parts.clock.now())
      return found;
    throw new AppError('not_found', `there is no upload ${id}, or it has expired: begin anew`);
  }

  /** Unfinished ones, the oldest first. */
  async list(by: Principal): Promise<Upload[]> {
    const found = await this.#parts.uploads.listOpen(by.userId, MAX_OPEN_UPLOADS);
    return found.filter(({ expiresAt }) => expiresAt > this.#parts.clock.now());
  }

  /** Gives it up. Whoever is writing finds out with the next step. @throws AppError `not_found` */
  async remove(by: Principal, id: string): Promise<void> {
    requireRight(by, 'upload.delete');
    for (let tries = 0; tries < REMOVE_TRIES; tries += 1) {
      const upload = await this.get(by, id);
      if (await this.forget(upload)) return;
    }
    throw new AppError('conflict', `${id} is being written: try again`);
  }

  /**
   * Keeps what comes from `offset` on; with the last byte the file takes its place. What came before `content` breaks off
   * is kept, unless the piece has a sum of its own.
   * @throws AppError `conflict` for another offset and while somebody else writes; `too_large`; `checksum_mismatch`;
   *   what `content` fails with
   */
  async append(by: Principal, id: string, piece: Piece, content: Readable): Promise<Upload> {
    const cutter = new PartCutter(content);
    try {
      requireRight(by, 'file.upload');
      const end = this.#parts.transfers.begin(by.userId);
      const work = storeAnswer(this.get(by, id)).then((upload) => this.#append(upload, piece, cutter));
      this.#open.add(work);
      try {
        return await work;
      } finally {
        this.#open.delete(work);
        end();
      }
    } finally {
      cutter.close();
    }
  }

  /** Resolves when nothing is being written any more. */
  async settle(): Promise<void> {
    await Promise.allSettled([...this.#open]);
  }

  /** Record first, then bytes. False when the record has changed: then nothing is gone. */
  async forget(upload: Upload): Promise<boolean> {
    const { uploads, records, contents } = this.#parts;
    if (!(await uploads.remove(upload))) return false;
    await contents.drop(partsOf(upload));
    if (upload.result === null) {
      // The file itself may be in its place although nobody came to say so.
      const there = await records.find({ ...upload, taskId: null, attempt: null });
      if (there?.id !== upload.fileId) await contents.drop([upload.fileId]);
    }
    return true;
  }

  async #append(upload: Upload, piece: Piece, cutter: PartCutter): Promise<Upload> {
    const offset = upload.result === null ? uploadOffset(upload) : upload.sizeBytes;
    if (piece.offset !== offset) {
      throw new AppError('conflict', `${upload.id} is at byte ${offset}, not at ${piece.offset}`);
    }
    if (upload.result !== null) {
      if (await cutter.more()) throw new AppError('too_large', `${upload.id} has all of its bytes already`);
      return upload;
    }
    let seen = -1;
    let joining = false;
    const lives = () => {
      const moved = joining || cutter.bytesSeen !== seen;
      seen = cutter.bytesSeen;
      return moved;
    };
    const store = { store: this.#parts.uploads, clock: this.#parts.clock };
    const { writing, strayPart } = await Writing.begin(store, upload, lives);
    const stop = () => cutter.stop(stopped());
    piece.signal.addEventListener('abort', stop, { once: true });
    if (piece.signal.aborted) stop();
    try {
      if (strayPart !== null) await this.#parts.contents.drop([strayPart]);
      await this.#announce(writing, piece.sha256);
      await this.#receive(writing, piece, cutter);
      if (uploadOffset(writing.upload) === upload.sizeBytes) {
        joining = true;
        await this.#finish(writing);
      }
      if (cutter.broken !== null) throw cutter.broken.cause;
    } finally {
      piece.signal.removeEventListener('abort', stop);
      await writing.end();
    }
    return writing.upload;
  }

  async #announce(writing: Writing, sha256: string | null): Promise<void> {
    if (sha256 === null || sha256 === writing.upload.sha256) return;
    if (announceSum(writing.upload, sha256) === null) {
      throw new AppError('invalid_request', 'the sender said another checksum of the whole file before');
    }
    await writing.step(() => announceSum(writing.upload, sha256));
  }

  async #receive(writing: Writing, piece: Piece, cutter: PartCutter): Promise<void> {
    const { clock, files, contents } = this.#parts;
    for (;;) {
      if (!(await cutter.more())) return;
      const left = writing.upload.sizeBytes - uploadOffset(writing.upload);
      if (left === 0) {
        throw new AppError(
          'too_large',
          `more bytes came than the ${writing.upload.sizeBytes} that were announced`,
        );
      }
      if (writing.upload.parts.length >= MAX_PARTS) throw tooManyParts(writing.upload);
      const { partId } = writing;
      const due = clock.monotonic() + PART_MS;
      const hash = piece.sum === null ? undefined : createHash(piece.sum.algorithm);
      const part = cutter.part(
        hash === undefined
          ? { maxBytes: Math.min(PART_BYTES, left), isDue: () => clock.monotonic() >= due, keepBroken: true }
          : { maxBytes: left, isDue: () => false, keepBroken: false, hash },
      );
      const { sizeBytes } = await files.write(partId, part, { maxBytes: left });
      try {
        if (hash !== undefined && !hash.digest().equals(piece.sum?.digest ?? Buffer.alloc(0))) {
          throw new AppError(
            'checksum_mismatch',
            'this piece has another checksum than it says: send it again',
          );
        }
        await writing.keepPart(sizeBytes);
      } catch (error) {
        // A store that did not answer may name it all the same. If not, the next writer finds and drops it.
        if (!isAppError(error, 'store_unavailable')) await contents.drop([partId]);
        throw error;
      }
    }
  }

  async #finish(writing: Writing): Promise<void> {
    const { upload } = writing;
    try {
      const { file, replaced } = await joinParts(this.#parts, upload, () => writing.renew());
      const result = { sha256: file.sha256, replaced };
      await writing.step((now, token) => finishUpload(writing.upload, token, result, now));
      await this.#parts.contents.drop(partsOf(upload));
    } catch (error) {
      // Nothing that is sent could mend it.
      const hopeless =
        isAppError(error, 'checksum_mismatch') || (upload.onlyNew && isAppError(error, 'conflict'));
      if (hopeless) await this.forget(writing.upload);
      throw error;
    }
  }
}

function tooManyParts({ id }: Upload): AppError {
  return new AppError(
    'invalid_request',
    `${id} came in too many small pieces: begin anew and send larger ones`,
  );
}

function stopped(): AppError {
  const message = 'this copy of the API stops: what has come is kept, go on with another';
  return new AppError('store_unavailable', message, { retryable: true });
}

function partsOf({ parts, writer }: Upload): string[] {
  return [...parts.map(({ id }) => id), ...(writer === null ? [] : [writer.partId])];
}
