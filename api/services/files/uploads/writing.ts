// One request that writes an upload: holds the lease, renews it while bytes come, and writes each step over the one
// before. Once another writer has overruled it, each further step fails and what it wrote is dropped.

import { AppError } from '../../../../shared/errors.ts';
import {
  beginWriting,
  endWriting,
  keepPart,
  renewWriting,
  type Upload,
  WRITER_LEASE_MS,
} from '../../../../shared/model/upload.ts';
import { newId } from '../../../../shared/platform/ids.ts';
import type { Clock } from '../../../../shared/ports/clock.ts';
import type { UploadStore } from '../../../../shared/ports/store.ts';
import { storeAnswer } from '../../deadline.ts';

const RENEW_EVERY_MS = WRITER_LEASE_MS / 3;

export class Writing {
  readonly #store: UploadStore;
  readonly #clock: Clock;
  readonly #token: string;
  readonly #timer: ReturnType<typeof setInterval>;
  #upload: Upload;
  /** One step after the other: each is made from the one before. */
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(store: UploadStore, clock: Clock, token: string, upload: Upload, lives: () => boolean) {
    this.#store = store;
    this.#clock = clock;
    this.#token = token;
    this.#upload = upload;
    this.#timer = setInterval(() => {
      // A store that is away now is asked again; the lease may run out meanwhile, which the next step notices.
      if (lives()) this.step((now, token) => renewWriting(this.#upload, token, now)).catch(() => undefined);
    }, RENEW_EVERY_MS);
    this.#timer.unref();
  }

  /**
   * @param lives whether anything has happened since it was asked last: a silent writer loses its lease
   * @returns also the part that a writer before, whose lease ran out, may have left behind
   * @throws AppError `conflict` while somebody else writes
   */
  static async begin(
    { store, clock }: { readonly store: UploadStore; readonly clock: Clock },
    upload: Upload,
    lives: () => boolean,
  ): Promise<{ writing: Writing; strayPart: string | null }> {
    const token = newId('part');
    const next = beginWriting(upload, { token, partId: newId('part') }, clock.now());
    if (next === null || !(await storeAnswer(store.commit(next)))) throw busy(upload);
    return {
      writing: new Writing(store, clock, token, next, lives),
      strayPart: upload.writer?.partId ?? null,
    };
  }

  get upload(): Upload {
    return this.#upload;
  }

  /** What the next part is to be called. */
  get partId(): string {
    return this.#upload.writer?.partId ?? '';
  }

  keepPart(sizeBytes: number): Promise<void> {
    const nextPartId = newId('part');
    return this.step((now, token) => keepPart(this.#upload, token, { sizeBytes, nextPartId }, now));
  }

  renew(): Promise<void> {
    return this.step((now, token) => renewWriting(this.#upload, token, now));
  }

  /** @throws AppError `conflict` when it has been overruled */
  step(make: (now: number, token: string) => Upload | null): Promise<void> {
    const done = this.#turn.then(async () => {
      const next = make(this.#clock.now(), this.#token);
      if (next === null || !(await storeAnswer(this.#store.commit(next)))) throw busy(this.#upload);
      this.#upload = next;
    });
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Lets go of the lease if it is still held. Never fails: it runs out by itself. */
  async end(): Promise<void> {
    clearInterval(this.#timer);
    if (this.#upload.writer === null) return;
    await this.step((_now, token) => endWriting(this.#upload, token)).catch(() => undefined);
  }
}

function busy({ id }: Upload): AppError {
  return new AppError(
    'conflict',
    `another request writes ${id}: ask where it is (HEAD) when that one has ended, at the latest in ${WRITER_LEASE_MS / 1_000} s`,
  );
}
