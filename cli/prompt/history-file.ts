// The history of the prompt on disk, for its owner only. Several prompts may use it at once: each adds its lines, none
// writes the others' away. Never throws: a history that cannot be kept is told once and missed.

import { constants } from 'node:fs';
import { type FileHandle, mkdir, open, rename, rm, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import { HISTORY_LIMIT, mayBeKept, tidyHistory } from './history.ts';

/** What is beyond is the end of a far too large file, which no prompt wrote. */
const READ_LIMIT_BYTES = 8_000_000;
/** A lock that old belongs to a process that is gone. */
const LOCK_STALE_MS = 10_000;

export class HistoryFile {
  readonly #path: string;
  /** Lines in the file, as far as this prompt knows. */
  #count = 0;
  #last = '';
  /** What was last written there was cut short. */
  #torn = false;
  #fault: string | null = null;

  constructor(path: string) {
    this.#path = path;
  }

  /** Why lines are not kept; null while they are. */
  get fault(): string | null {
    return this.#fault;
  }

  /** Oldest first. */
  async load(): Promise<string[]> {
    let file: FileHandle | null = null;
    try {
      file = await open(this.#path, 'r');
      const { lines, torn } = await readFrom(file, 0);
      this.#torn = torn;
      await file.chmod(0o600);
      this.#count = lines.length;
      this.#last = lines.at(-1) ?? '';
      return tidyHistory(lines);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') this.#miss(error);
      return [];
    } finally {
      await file?.close();
    }
  }

  /** Adds a line that may be kept and is not the one before it. */
  async add(line: string): Promise<void> {
    if (!mayBeKept(line) || line === this.#last) return;
    try {
      await mkdir(dirname(this.#path), { recursive: true, mode: 0o700 });
      await this.#append(`${this.#torn ? '\n' : ''}${line}\n`);
      this.#torn = false;
      this.#last = line;
      this.#count += 1;
      if (this.#count > HISTORY_LIMIT) await this.#shorten();
      this.#fault = null;
    } catch (error) {
      this.#miss(error);
    }
  }

  /** In one write at the end of the file as it then is, so that lines of two prompts do not mix. */
  async #append(text: string): Promise<void> {
    for (;;) {
      const file = await open(this.#path, constants.O_APPEND | constants.O_CREAT | constants.O_WRONLY, 0o600);
      try {
        await file.write(text);
        const [written, there] = await Promise.all([
          file.stat(),
          stat(this.#path).catch((error: NodeJS.ErrnoException) => {
            // The folder went meanwhile; the next line makes it anew.
            if (error.code === 'ENOENT') return null;
            throw error;
          }),
        ]);
        // Another prompt put a shorter file in its place just now: the line goes there too. Twice is better than never,
        // and twice in a row is once when it is read.
        if (there === null || written.ino === there.ino) return;
      } finally {
        await file.close();
      }
    }
  }

  /** Replaces the file by its newest lines. One prompt at a time; whoever finds another at it leaves it to that one. */
  async #shorten(): Promise<void> {
    const lock = `${this.#path}.lock`;
    const held = await takeLock(lock);
    if (!held) return;
    const draft = `${this.#path}.${process.pid}.tmp`;
    let old: FileHandle | null = null;
    try {
      old = await open(this.#path, 'r');
      const before = await readFrom(old, 0);
      const lines = tidyHistory(before.lines);
      const file = await open(draft, 'w', 0o600);
      await file.writeFile(lines.map((line) => `${line}\n`).join(''));
      await file.close();
      await rename(draft, this.#path);
      // Lines that came in between reading and replacing.
      const late = (await readFrom(old, before.end)).lines;
      if (late.length > 0) await this.#append(late.map((line) => `${line}\n`).join(''));
      this.#count = lines.length + late.length;
    } finally {
      await old?.close();
      await rm(draft, { force: true });
      await rm(lock, { force: true });
    }
  }

  #miss(error: unknown): void {
    this.#fault = `${this.#path}: ${(error as Error).message}`;
  }
}

interface Read {
  readonly lines: string[];
  /** Where the next ones will begin. */
  readonly end: number;
  /** True when the last one has no end. */
  readonly torn: boolean;
}

/** The lines from there on. */
async function readFrom(file: FileHandle, from: number): Promise<Read> {
  const { size } = await file.stat();
  const start = Math.max(from, size - READ_LIMIT_BYTES);
  const buffer = Buffer.alloc(Math.max(0, size - start));
  const { bytesRead } = await file.read({ buffer, position: start });
  const text = buffer.toString('utf8', 0, bytesRead);
  const lines = text.split('\n');
  // The first may be half a line then.
  if (start > from) lines.shift();
  return {
    lines: lines.filter((line) => line !== ''),
    end: start + bytesRead,
    torn: text !== '' && !text.endsWith('\n'),
  };
}

async function takeLock(path: string): Promise<boolean> {
  try {
    await (await open(path, 'wx', 0o600)).close();
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    const found = await stat(path).catch(() => null);
    // Taken at the next line.
    if (found && Date.now() - found.mtimeMs > LOCK_STALE_MS) await rm(path, { force: true });
    return false;
  }
}
