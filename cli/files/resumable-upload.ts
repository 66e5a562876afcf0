// A large file on its way to the cluster in pieces: goes on where it stopped, in this run after a break and in a later
// run with what is remembered.

import { ApiError, type Client } from '../../client/client.ts';
import type { FileBody } from '../../shared/contracts/files.ts';
import { CliError, EXIT } from '../exit.ts';
import { bytesOf, changed, checkUnchanged, sumOf } from './local-file.ts';
import type { Patience } from './patience.ts';
import { unlessStalled } from './stall.ts';
import type { UploadSource } from './upload.ts';
import type { UploadKey, UploadMemory } from './upload-memory.ts';

export interface ResumableWatch {
  readonly signal: AbortSignal;
  /** Bytes that were sent; negative when some of them did not arrive. */
  readonly onBytes: (bytes: number) => void;
  /** Bytes that had arrived before. */
  readonly onKnown: (bytes: number) => void;
  /** What takes its time without a byte moving; null when that is over. */
  readonly onStep: (what: string | null) => void;
  readonly tell: (text: string) => void;
}

export interface ResumableParts {
  readonly client: Client;
  readonly memory: UploadMemory;
  readonly user: string;
  readonly patience: Patience;
  readonly watch: ResumableWatch;
}

/** Of one call: what a proxy in front may hold back, and how often the bar learns what has arrived. */
const PIECE_BYTES = 64 * 1_048_576;
const BUSY = 'another run sends it, or the cluster has not noticed yet that one broke off: waits';

/**
 * @param sum of the file, hex, when it is known already
 * @throws {CliError} when the file changed meanwhile; ApiError, ConnectionError; errors of the disk; the signal's reason
 */
export async function uploadResumable(
  source: UploadSource,
  sum: string | null,
  parts: ResumableParts,
): Promise<FileBody> {
  return new ResumableUpload(source, sum, parts).run();
}

class ResumableUpload {
  readonly #source: UploadSource;
  readonly #parts: ResumableParts;
  readonly #key: UploadKey;
  #sum: string | null;
  #id: string | null = null;
  /** What the bar has been told of. */
  #shown = 0;
  #toldOffset = 0;

  constructor(source: UploadSource, sum: string | null, parts: ResumableParts) {
    this.#source = source;
    this.#sum = sum;
    this.#parts = parts;
    const { client, user } = parts;
    this.#key = { url: client.url, user, path: source.path, local: source.local };
  }

  async run(): Promise<FileBody> {
    await this.#recall();
    const { patience, watch } = this.#parts;
    for (let resumed = this.#id !== null; ; resumed = true) {
      try {
        const offset = await this.#begun(resumed);
        if (offset !== null) await this.#sendFrom(offset);
        return await this.#finished();
      } catch (error) {
        watch.signal.throwIfAborted();
        if (error instanceof ApiError && error.code === 'checksum_mismatch') {
          await this.#parts.memory.forget(this.#key);
          throw changed();
        }
        if (error instanceof ApiError && error.status === 404 && this.#id !== null) {
          await this.#beginAnew('the cluster has forgotten what it had of it: begins anew');
        } else if (error instanceof ApiError && error.code === 'conflict' && this.#id !== null) {
          await patience.until(
            'another run sends this file, or the cluster has not seen the break yet: waits',
          );
        } else {
          await patience.after(error);
        }
      }
    }
  }

  /** What an earlier run began, if the file is still the same. */
  async #recall(): Promise<void> {
    const { client, memory, watch } = this.#parts;
    const { sizeBytes, mtimeMs } = this.#source;
    const found = await memory.find(this.#key);
    if (found === null) return;
    const same = found.size_bytes === sizeBytes && found.mtime_ms === mtimeMs;
    if (same && (this.#sum === null || this.#sum === found.sha256)) {
      this.#sum = found.sha256;
      this.#id = found.upload_id;
      return;
    }
    await memory.forget(this.#key);
    watch.tell('it has changed since an earlier run began to send it: begins anew');
    // It would expire by itself, too.
    await client.deleteUpload(found.upload_id, { signal: watch.signal }).catch(() => undefined);
  }

  async #beginAnew(why: string): Promise<void> {
    this.#id = null;
    this.#show(0, false);
    await this.#parts.memory.forget(this.#key);
    this.#parts.watch.tell(why);
  }

  /** Where to go on; null when there is nothing left to send. */
  async #begun(resumed: boolean): Promise<number | null> {
    const { client, memory, watch, patience } = this.#parts;
    const { path, sizeBytes, mtimeMs } = this.#source;
    const { signal } = watch;
    if (this.#id === null) {
      const sha256 = await this.#sumOfAll();
      this.#id = await client.beginUpload({ path, sizeBytes, sha256 }, { signal });
      const remembered = { upload_id: this.#id, size_bytes: sizeBytes, mtime_ms: mtimeMs, sha256 };
      if (!(await memory.keep(this.#key, remembered))) {
        watch.tell('cannot remember this upload beside the profile: a later run would begin anew');
      }
      return 0;
    }
    for (;;) {
      const { offset, state, size_bytes, path: its } = await client.getUpload(this.#id, { signal });
      if (size_bytes !== sizeBytes || its !== path) throw new ApiError(404, 'not_found', 'another upload');
      // Somebody is at work.
      if (state === 'finishing' || (state === 'receiving' && offset !== this.#shown)) patience.moved();
      this.#show(offset, false);
      if (state === 'completed') return null;
      if (state === 'waiting') {
        if (resumed && offset > 0 && offset !== this.#toldOffset) {
          watch.tell(`goes on at ${Math.floor((100 * offset) / sizeBytes)}%`);
          this.#toldOffset = offset;
        }
        return offset;
      }
      if (state === 'finishing') watch.onStep('joining');
      await patience.until(state === 'finishing' ? 'the cluster puts it together' : BUSY);
    }
  }

  async #sumOfAll(): Promise<string> {
    const { watch } = this.#parts;
    if (this.#sum !== null) return this.#sum;
    watch.onStep('reading');
    this.#sum = await sumOf(this.#source, { signal: watch.signal, onBytes: () => undefined });
    watch.onStep(null);
    return this.#sum;
  }

  async #sendFrom(start: number): Promise<void> {
    const { client, patience, watch } = this.#parts;
    const { sizeBytes } = this.#source;
    const id = this.#id ?? '';
    let offset = start;
    do {
      await checkUnchanged(this.#source);
      const end = Math.min(offset + PIECE_BYTES, sizeBytes);
      const arrived = await unlessStalled(client.url, watch.signal, async (signal, moves) => {
        const sending = bytesOf(this.#source, offset, end, ({ length }) => {
          moves();
          this.#show(this.#shown + length, true);
          if (this.#shown === sizeBytes) watch.onStep('joining');
        });
        try {
          return await client.sendUpload(id, offset, sending.body, { signal });
        } catch (error) {
          throw sending.unreadable() ?? error;
        }
      });
      if (arrived !== end) {
        await checkUnchanged(this.#source);
        throw new CliError(
          EXIT.failed,
          `${arrived} bytes arrived where ${end} were sent`,
          'Run the command again.',
        );
      }
      offset = arrived;
      patience.moved();
    } while (offset < sizeBytes);
  }

  async #finished(): Promise<FileBody> {
    const { client, memory, watch } = this.#parts;
    watch.onStep(null);
    const file = await client.findFile(this.#source.path, { signal: watch.signal });
    await memory.forget(this.#key);
    if (file?.sha256 === this.#sum) return file as FileBody;
    const message = 'the upload was completed, but another file is in its place by now';
    throw new CliError(EXIT.failed, message, 'Run the command again.');
  }

  /** Brings the bar to what has been sent, or to what is known to have arrived. */
  #show(bytes: number, sent: boolean): void {
    const { watch } = this.#parts;
    const more = bytes - this.#shown;
    this.#shown = bytes;
    if (sent || more < 0) watch.onBytes(more);
    else if (more > 0) watch.onKnown(more);
  }
}
