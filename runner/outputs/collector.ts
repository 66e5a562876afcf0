// Keeps the files an attempt left: bytes into the file store, then a record for each. Goes over the same folder as
// often as it takes, and keeps each file once. Holds a few small files in memory and never a large one. Must never
// keep more than the limits allow.

import { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import mime from 'mime';
import { isAppError } from '../../shared/errors.ts';
import type { FileRecord } from '../../shared/model/file.ts';
import { newId } from '../../shared/platform/ids.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { OutputEntry } from '../../shared/ports/container-runtime.ts';
import type { FileStore } from '../../shared/ports/file-store.ts';
import type { FileRecordStore } from '../../shared/ports/store.ts';
import { judgeOutput, LeftOutTally, type OutputLimits } from '../core/output-choice.ts';
import { WritePool } from './write-pool.ts';

/** Files of this size are taken into memory, so that several can be written at a time. */
const SMALL_BYTES = 65_536;
const WRITES_AT_ONCE = 8;
/** Records in one call to the store. */
const BATCH = 500;
/** Things that are not kept, folders among them, after which the rest is not looked at any more. */
const MOST_NOT_KEPT = 200_000;
/** Bytes over the limit that are read only to see what comes behind them. */
const MOST_IDLE_BYTES = 2 ** 30;

/** The attempt whose files they are. */
export interface OutputOwner {
  readonly ownerId: string;
  readonly taskId: string;
  readonly attempt: number;
}

export interface CollectorParts {
  readonly records: FileRecordStore;
  readonly files: FileStore;
  readonly limits: OutputLimits;
  readonly clock: Clock;
}

interface Kept {
  readonly id: string;
  readonly sizeBytes: number;
}

interface Writing {
  readonly tally: LeftOutTally;
  readonly signal: AbortSignal;
  readonly tell: () => void;
}

export class OutputCollector {
  readonly #owner: OutputOwner;
  readonly #parts: CollectorParts;
  /** By path. */
  readonly #kept = new Map<string, Kept>();
  #files = 0;
  #bytes = 0;
  #unrecorded: FileRecord[] = [];
  #replaced: string[] = [];

  constructor(owner: OutputOwner, parts: CollectorParts) {
    this.#owner = owner;
    this.#parts = parts;
  }

  /** What is kept so far; files that are being written count. */
  get sum(): { files: number; bytes: number } {
    return { files: this.#files, bytes: this.#bytes };
  }

  /** Ids of all files that are kept. */
  get ids(): Set<string> {
    return new Set([...this.#kept.values()].map(({ id }) => id));
  }

  /** Ids of files whose records were replaced: nobody will ask for their bytes. Each is given out once. */
  takeReplaced(): string[] {
    return this.#replaced.splice(0);
  }

  /**
   * Goes over all entries and keeps those that are not kept yet, telling of each before it is written. Throws what
   * reading or writing failed with; what was kept by then stays kept. `record` is still to be called.
   */
  async collect(
    entries: AsyncIterable<OutputEntry>,
    signal: AbortSignal,
    tell: () => void,
  ): Promise<LeftOutTally> {
    const { limits } = this.#parts;
    const tally = new LeftOutTally(limits);
    const writing = { tally, signal, tell };
    const pool = new WritePool(WRITES_AT_ONCE);
    let notKept = 0;
    let idleBytes = 0;
    try {
      for await (const entry of entries) {
        const { path, sizeBytes, content } = entry;
        if (this.#kept.has(path)) {
          content.destroy();
          continue;
        }
        const verdict = judgeOutput(entry, this.sum, limits);
        if (verdict === 'copy') {
          content.destroy();
          await pool.idle();
          await this.#copy(entry, writing);
        } else if (verdict === 'keep' && sizeBytes <= SMALL_BYTES) {
          const bytes = await buffer(content);
          await pool.add(() => this.#keep(path, bytes.length, () => Readable.from([bytes]), writing));
        } else if (verdict === 'keep') {
          await this.#keep(path, sizeBytes, () => content, writing);
        } else {
          content.destroy();
          if (verdict !== 'folder') tally.add(verdict);
          notKept += 1;
          idleBytes += sizeBytes;
          tally.isCutShort = notKept > MOST_NOT_KEPT || idleBytes > MOST_IDLE_BYTES;
          if (tally.isCutShort) break;
          continue;
        }
        if (this.#unrecorded.length >= BATCH) await this.record();
      }
      await pool.idle();
      return tally;
    } finally {
      await pool.settled();
    }
  }

  /** Puts the records of what is kept and has none yet. After a fault it may be called again. */
  async record(): Promise<void> {
    while (this.#unrecorded.length > 0) {
      const batch = this.#unrecorded.slice(0, BATCH);
      const replaced = await this.#parts.records.put(batch);
      this.#unrecorded = this.#unrecorded.filter((record) => !batch.includes(record));
      this.#replaced.push(...replaced.map(({ id }) => id));
    }
  }

  async #keep(
    path: string,
    sizeBytes: number,
    open: () => Readable | Promise<Readable>,
    { tally, signal, tell }: Writing,
  ): Promise<void> {
    const { files, clock } = this.#parts;
    const id = newId('file');
    // Counted before it is written, for others are written at the same time.
    this.#files += 1;
    this.#bytes += sizeBytes;
    tell();
    try {
      const written = await files.write(id, await open(), { maxBytes: sizeBytes, signal });
      // It may have become shorter.
      this.#bytes += written.sizeBytes - sizeBytes;
      const contentType = mime.getType(path) ?? 'application/octet-stream';
      this.#unrecorded.push({ ...this.#owner, ...written, id, path, contentType, createdAt: clock.now() });
      this.#kept.set(path, { id, sizeBytes: written.sizeBytes });
    } catch (error) {
      this.#files -= 1;
      this.#bytes -= sizeBytes;
      // It has grown under the reader's hands.
      if (!isAppError(error, 'too_large')) throw error;
      tally.add('too_large');
    }
  }

  async #copy({ path, target }: OutputEntry, writing: Writing): Promise<void> {
    const original = this.#kept.get(target ?? '');
    if (!original) return writing.tally.add('further_name');
    const { sizeBytes, id } = original;
    const verdict = judgeOutput({ path, type: 'file', sizeBytes }, this.sum, this.#parts.limits);
    if (verdict === 'keep') await this.#keep(path, sizeBytes, () => this.#parts.files.read(id), writing);
    else if (verdict !== 'copy' && verdict !== 'folder') writing.tally.add(verdict);
  }
}
