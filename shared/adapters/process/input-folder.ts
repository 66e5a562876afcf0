// The files an attempt is given, kept until its container folder takes them in.

import { createWriteStream } from 'node:fs';
import { mkdir, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { AppError } from '../../errors.ts';
import type { InputFile } from '../../ports/container-runtime.ts';

/** So long input of another life of the runner is left alone. */
const SWEEP_GRACE_MS = 60_000;

export class InputFolders {
  readonly #root: string;
  /** Names of those this process has provided. */
  readonly #own = new Set<string>();

  constructor(root: string) {
    this.#root = root;
  }

  async provide(name: string, files: readonly InputFile[], signal: AbortSignal | undefined): Promise<void> {
    await this.drop(name);
    this.#own.add(name);
    const folder = join(this.#root, name);
    await mkdir(folder, { recursive: true, mode: 0o755 });
    for (const { path, sizeBytes, open } of files) {
      const to = join(folder, path);
      await mkdir(dirname(to), { recursive: true, mode: 0o755 });
      await write(await open(), to, signal);
      if ((await stat(to)).size !== sizeBytes) {
        throw new AppError('internal', `the input file "${path}" is not as large as its record says`);
      }
    }
  }

  async drop(name: string): Promise<void> {
    this.#own.delete(name);
    await rm(join(this.#root, name), { recursive: true, force: true });
  }

  /** Makes the input the folder `to`. Throws `container_start_failed` when none was provided. */
  async take(name: string, to: string): Promise<void> {
    try {
      await rename(join(this.#root, name), to);
      this.#own.delete(name);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
      throw new AppError('container_start_failed', 'the files of this attempt were not provided', {
        cause: error,
      });
    }
  }

  /** Removes what an earlier life of the runner left. */
  async sweep(): Promise<void> {
    for (const name of await readdir(this.#root).catch(() => [])) {
      if (this.#own.has(name)) continue;
      const found = await stat(join(this.#root, name)).catch(() => null);
      if (found && Date.now() - found.mtimeMs > SWEEP_GRACE_MS) await this.drop(name);
    }
  }
}

async function write(
  content: NodeJS.ReadableStream,
  to: string,
  signal: AbortSignal | undefined,
): Promise<void> {
  try {
    await pipeline(content, createWriteStream(to, { flags: 'wx', mode: 0o444 }), { signal });
  } catch (error) {
    if (!signal?.aborted) throw error;
    throw new AppError('timed_out', 'providing the input was given up', { cause: error });
  }
}
