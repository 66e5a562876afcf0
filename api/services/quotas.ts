// What an account may have at most: asked for its unfinished tasks before tasks are inserted, for its uploads before a
// file takes its place. An account without a quota costs one look into a map.
//
// Within a process the steps of one owner go one after the other, so none overshoots. Across copies of the API the limit
// of tasks holds as exactly as the store can make it (see `TaskStore.insert`), and that of uploads may be passed by what
// other copies keep in the same moment.

import { AppError } from '../../shared/errors.ts';
import type { FileRecord } from '../../shared/model/file.ts';
import { MAX_OPEN_UPLOADS } from '../../shared/model/upload.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { FileRecordStore, UploadStore } from '../../shared/ports/store.ts';
import { KeyedTurns } from './keyed-turns.ts';
import type { KnownUsers } from './known-users.ts';

export interface QuotaParts {
  readonly known: Pick<KnownUsers, 'get'>;
  readonly files: Pick<FileRecordStore, 'uploadBytes' | 'find'>;
  readonly uploads: Pick<UploadStore, 'listOpen'>;
  readonly clock: Clock;
}

export interface UploadRoom {
  /** That may come under this path. */
  readonly bytes: number;
  /** What to say when there are more. */
  refusal(bytes: number | null): AppError;
}

const MB = 2 ** 20;
/** Steps of one owner that may wait for each other. */
const MAX_IN_LINE = 1_000;

export class Quotas {
  readonly #parts: QuotaParts;
  readonly #turns = new KeyedTurns({
    most: MAX_IN_LINE,
    refusal: 'too many submissions at once of this account; try again in a moment',
    retryAfterSeconds: 2,
  });

  constructor(parts: QuotaParts) {
    this.#parts = parts;
  }

  /** Inserts tasks of this owner, telling how many unfinished ones there may be; undefined: any number. */
  async submit<T>(ownerId: string, insert: (maxUnfinished?: number) => Promise<T>): Promise<T> {
    const limit = (await this.#parts.known.get(ownerId))?.quota.unfinishedTasks ?? null;
    return limit === null ? insert() : this.#turns.take(ownerId, () => insert(limit));
  }

  /** How large a file may be that is kept under this path, in place of what is there; null: as large as any. */
  async uploadRoom(ownerId: string, path: string): Promise<UploadRoom | null> {
    const user = await this.#parts.known.get(ownerId);
    const limitMb = user?.quota.uploadStorageMb ?? null;
    return user === null || limitMb === null ? null : this.#room(user.username, ownerId, limitMb, path, 0);
  }

  /**
   * Begins an upload that is to have so many bytes in the end. What other unfinished ones have announced counts, so that
   * nobody sends for hours what is refused then.
   * @throws AppError `quota_exceeded`
   */
  async announce<T>(ownerId: string, path: string, bytes: number, begin: () => Promise<T>): Promise<T> {
    if ((await this.uploadRoom(ownerId, path)) === null) return begin();
    return this.#turns.take(ownerId, async () => {
      const user = await this.#parts.known.get(ownerId);
      const limitMb = user?.quota.uploadStorageMb ?? null;
      if (user !== null && limitMb !== null) {
        const open = await this.#parts.uploads.listOpen(ownerId, MAX_OPEN_UPLOADS);
        const now = this.#parts.clock.now();
        const announced = open
          .filter(({ expiresAt }) => expiresAt > now)
          .reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
        const room = await this.#room(user.username, ownerId, limitMb, path, announced);
        if (bytes > room.bytes) throw room.refusal(bytes);
      }
      return begin();
    });
  }

  /** Lets an upload take its place. @throws AppError `quota_exceeded`, and nothing is done */
  async keep<T>(file: Pick<FileRecord, 'ownerId' | 'path' | 'sizeBytes'>, put: () => Promise<T>): Promise<T> {
    if ((await this.uploadRoom(file.ownerId, file.path)) === null) return put();
    return this.#turns.take(file.ownerId, async () => {
      const room = await this.uploadRoom(file.ownerId, file.path);
      if (room !== null && file.sizeBytes > room.bytes) throw room.refusal(file.sizeBytes);
      return put();
    });
  }

  async #room(
    name: string,
    ownerId: string,
    limitMb: number,
    path: string,
    announced: number,
  ): Promise<UploadRoom> {
    const { files } = this.#parts;
    const [totals, there] = await Promise.all([
      files.uploadBytes([ownerId]),
      files.find({ ownerId, taskId: null, attempt: null, path }),
    ]);
    const kept = totals.get(ownerId) ?? 0;
    const replaced = there?.sizeBytes ?? 0;
    return {
      // What needs no more than before is welcome even where a limit came later.
      bytes: Math.max(limitMb * MB - (kept - replaced) - announced, replaced),
      refusal: (bytes) => {
        const waiting =
          announced === 0 ? '' : `, ${megabytes(announced)} MB are announced by unfinished ones`;
        const sent =
          bytes === null ? 'this file has more than what is left' : `this file has ${megabytes(bytes)} MB`;
        return exceeded(
          'upload_storage',
          `${name} may keep at most ${limitMb} MB of uploads, ${megabytes(kept)} MB are kept${waiting}, ${sent}: ` +
            'delete what is not needed, or ask an admin for more',
        );
      },
    };
  }
}

export function tooManyTasks(name: string, limit: number, unfinished: number, more: number): AppError {
  return exceeded(
    'unfinished_tasks',
    `${name} may have at most ${limit} unfinished tasks, ${unfinished} are there and ${more} would come: ` +
      'wait until some have ended, cancel some, or ask an admin for more',
  );
}

function exceeded(field: string, message: string): AppError {
  return new AppError('quota_exceeded', message, { details: [{ field, message }] });
}

function megabytes(bytes: number): string {
  return String(Math.ceil((bytes / MB) * 100) / 100);
}
