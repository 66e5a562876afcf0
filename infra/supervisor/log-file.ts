// Keeps the output of a process in a file of bounded size, and its last lines at hand for messages.

import { type FileHandle, mkdir, open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';

/** Beyond this the file is set aside as `<name>.1`, over the one set aside before. */
const MAX_BYTES = 20 * 1_048_576;
const KEPT_LINES = 30;
/** What may wait for the disk; a process that writes faster loses lines rather than filling memory. */
const MAX_WAITING_BYTES = 8 * 1_048_576;

export class LogFile {
  readonly path: string;
  readonly #maxBytes: number;
  #handle: FileHandle | null = null;
  #bytes = 0;
  #waiting = 0;
  #work: Promise<void> = Promise.resolve();
  #tail: string[] = [];
  #rest = '';

  constructor(path: string, maxBytes = MAX_BYTES) {
    this.path = path;
    this.#maxBytes = maxBytes;
  }

  /** The last lines written, oldest first. */
  get tail(): readonly string[] {
    return this.#rest === '' ? this.#tail : [...this.#tail, this.#rest];
  }

  /** Never throws: a full disk must not take the supervisor down. */
  append(chunk: Buffer): void {
    this.#remember(chunk.toString());
    if (this.#waiting + chunk.length > MAX_WAITING_BYTES) return;
    this.#waiting += chunk.length;
    this.#work = this.#work
      .then(() => this.#write(chunk))
      .catch(() => undefined)
      .finally(() => {
        this.#waiting -= chunk.length;
      });
  }

  async close(): Promise<void> {
    await this.#work;
    await this.#handle?.close().catch(() => undefined);
    this.#handle = null;
  }

  async #write(chunk: Buffer): Promise<void> {
    if (this.#handle && this.#bytes + chunk.length > this.#maxBytes) {
      await this.#handle.close();
      this.#handle = null;
      await rename(this.path, `${this.path}.1`);
    }
    if (!this.#handle) {
      await mkdir(dirname(this.path), { recursive: true });
      this.#handle = await open(this.path, 'a', 0o600);
      this.#bytes = (await this.#handle.stat()).size;
    }
    await this.#handle.write(chunk);
    this.#bytes += chunk.length;
  }

  #remember(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = (lines.pop() ?? '').slice(-2_000);
    this.#tail = [...this.#tail, ...lines].slice(-KEPT_LINES);
  }
}
