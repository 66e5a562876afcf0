// Backups of the record, and their restore, for admins. One at a time in each process. Knows nothing of HTTP.
// What is made holds password hashes, tokens' hashes and webhook secrets; the settings and keys of processes are not in it.

import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import {
  BACKUP_FORMAT,
  BACKUP_FORMAT_VERSION,
  type BackupManifest,
  DATABASE_NAME,
  type RestoreReply,
  restoreReply,
} from '../../../shared/contracts/backups.ts';
import { AppError, messageOf } from '../../../shared/errors.ts';
import type { Principal } from '../../../shared/model/user.ts';
import type { Log } from '../../../shared/platform/log.ts';
import { readVersion } from '../../../shared/platform/version.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { EventBus } from '../../../shared/ports/coordination.ts';
import type { Store } from '../../../shared/ports/store.ts';
import type { ReceivedCopy, StoreCopies } from '../../../shared/ports/store-copies.ts';
import { requireRight } from '../rights.ts';
import { packBackup, unpackBackup } from './backup-archive.ts';

export interface BackupParts {
  readonly store: Pick<Store, 'copies'>;
  readonly bus: EventBus;
  /** What this process shows of the cluster is read anew. */
  readonly forget: () => void;
  readonly clock: Clock;
  readonly log: Log;
}

export interface MadeBackup {
  readonly name: string;
  readonly sizeBytes: number;
  /** Hex, of all of it. */
  readonly sha256: string;
  readonly body: Readable;
}

export class Backups {
  readonly #parts: BackupParts;
  #busy: 'made' | 'restored' | null = null;

  constructor(parts: BackupParts) {
    this.#parts = parts;
  }

  /**
   * The copy is given up when `body` is closed. @throws AppError `forbidden`; `conflict` where MongoDB keeps the records, or
   * while another one is made or restored; what the store throws
   */
  async make(by: Principal): Promise<MadeBackup> {
    const copies = this.#begin(by, 'made');
    try {
      const copy = await copies.take();
      const discard = () => this.#end(copy);
      try {
        const createdAt = new Date(this.#parts.clock.now()).toISOString();
        const manifest: BackupManifest = {
          format: BACKUP_FORMAT,
          format_version: BACKUP_FORMAT_VERSION,
          created_at: createdAt,
          release: readVersion(),
          schema_version: copies.schemaVersion,
          database: { file: DATABASE_NAME, size_bytes: copy.sizeBytes, sha256: copy.sha256 },
        };
        // Once to know it, once to send it.
        const { sizeBytes, sha256 } = await measure(packBackup(manifest, copy.read()));
        const body = packBackup(manifest, copy.read());
        body.once('close', discard);
        this.#parts.log.info({ by: by.username, sizeBytes }, 'a backup is sent');
        const name = `cloudai-${createdAt.slice(0, 19).replaceAll(':', '-')}.backup.tar`;
        return { name, sizeBytes, sha256, body };
      } catch (error) {
        discard();
        throw error;
      }
    } catch (error) {
      this.#busy = null;
      throw error;
    }
  }

  /**
   * Puts a backup in the place of all records, or with `dryRun` only says what that would do.
   * @throws AppError as `make`, and `invalid_request` for what is no backup that can be used here
   */
  async restore(by: Principal, content: Readable, { dryRun }: { dryRun: boolean }): Promise<RestoreReply> {
    const copies = this.#begin(by, 'restored');
    try {
      return await unpackBackup(content, async (manifest, database) => {
        const expected = manifest && {
          sizeBytes: manifest.database.size_bytes,
          sha256: manifest.database.sha256,
        };
        const received = await copies.receive(database, expected);
        try {
          return await this.#use(by, received, manifest, dryRun);
        } finally {
          await received.discard();
        }
      });
    } finally {
      this.#busy = null;
      content.destroy();
    }
  }

  async #use(
    by: Principal,
    received: ReceivedCopy,
    manifest: BackupManifest | null,
    dryRun: boolean,
  ): Promise<RestoreReply> {
    const { bus, clock, log, forget } = this.#parts;
    const comparison = await received.compare();
    const { schemaVersion } = received;
    if (dryRun) return restoreReply({ manifest, schemaVersion, comparison, safetyCopy: null });
    const { safetyCopy, generation } = await received.replace(clock.now());
    log.warn(
      { by: by.username, madeAt: manifest?.created_at, generation, safetyCopy, ...comparison },
      'all records were replaced by a backup',
    );
    forget();
    // Whoever does not hear of it sees by the generation of the store.
    await bus
      .publish({ type: 'restored' })
      .catch((error) => log.debug({ fault: messageOf(error) }, 'the restore was not announced'));
    return restoreReply({ manifest, schemaVersion, comparison, safetyCopy });
  }

  #begin(by: Principal, what: 'made' | 'restored'): StoreCopies {
    requireRight(by, what === 'made' ? 'backup.make' : 'backup.restore');
    const { copies } = this.#parts.store;
    if (copies === null) {
      throw new AppError(
        'conflict',
        'the records of this cluster are in MongoDB: copy them with mongodump, and put them back with mongorestore while the cluster is stopped',
      );
    }
    if (this.#busy !== null) {
      throw new AppError('conflict', `a backup is being ${this.#busy}: wait until that is done`);
    }
    this.#busy = what;
    return copies;
  }

  #end(copy: { discard(): Promise<void> }): void {
    this.#busy = null;
    copy
      .discard()
      .catch((error) => this.#parts.log.warn({ err: error }, 'a copy of the store was left behind'));
  }
}

async function measure(content: Readable): Promise<{ sizeBytes: number; sha256: string }> {
  const hash = createHash('sha256');
  let sizeBytes = 0;
  for await (const chunk of content as AsyncIterable<Buffer>) {
    hash.update(chunk);
    sizeBytes += chunk.length;
  }
  return { sizeBytes, sha256: hash.digest('hex') };
}
