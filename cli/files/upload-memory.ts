// What the command line remembers of uploads that are not finished, so that a later run goes on with them: one small
// file each in a folder beside the profile, mode 0600. It holds no token. When it cannot be kept, a later run begins
// anew; nothing else depends on it.

import { createHash } from 'node:crypto';
import { mkdir, readdir, readFile, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { writePrivateFile } from '../private-file.ts';

export interface UploadKey {
  readonly url: string;
  readonly user: string;
  /** In the user's space. */
  readonly path: string;
  /** On this machine, absolute. */
  readonly local: string;
}

export interface RememberedUpload {
  readonly upload_id: string;
  readonly size_bytes: number;
  readonly mtime_ms: number;
  readonly sha256: string;
}

const MAX_REMEMBERED = 200;

export class UploadMemory {
  readonly #folder: string;

  constructor(profilePath: string) {
    this.#folder = join(dirname(profilePath), 'uploads');
  }

  async find(key: UploadKey): Promise<RememberedUpload | null> {
    try {
      const found = JSON.parse(await readFile(this.#fileOf(key), 'utf8')) as Partial<
        RememberedUpload & UploadKey
      >;
      const { upload_id, size_bytes, mtime_ms, sha256 } = found ?? {};
      if (typeof upload_id !== 'string' || !/^[\w-]{1,64}$/.test(upload_id)) return null;
      if (typeof size_bytes !== 'number' || typeof mtime_ms !== 'number' || typeof sha256 !== 'string')
        return null;
      return { upload_id, size_bytes, mtime_ms, sha256 };
    } catch {
      return null;
    }
  }

  /** False when it could not be kept. */
  async keep(key: UploadKey, upload: RememberedUpload): Promise<boolean> {
    try {
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await this.#makeRoom();
      await writePrivateFile(this.#fileOf(key), `${JSON.stringify({ ...key, ...upload }, null, 2)}\n`);
      return true;
    } catch {
      return false;
    }
  }

  async forget(key: UploadKey): Promise<void> {
    await rm(this.#fileOf(key), { force: true }).catch(() => undefined);
  }

  /** The oldest go first. */
  async #makeRoom(): Promise<void> {
    const names = await readdir(this.#folder);
    if (names.length < MAX_REMEMBERED) return;
    const files = await Promise.all(
      names.map(async (name) => {
        const path = join(this.#folder, name);
        return { path, at: (await stat(path).catch(() => null))?.mtimeMs ?? 0 };
      }),
    );
    files.sort((a, b) => a.at - b.at);
    for (const { path } of files.slice(0, names.length - MAX_REMEMBERED + 1)) await rm(path, { force: true });
  }

  #fileOf({ url, user, path, local }: UploadKey): string {
    const name = createHash('sha256')
      .update(JSON.stringify([url, user, path, local]))
      .digest('hex');
    return join(this.#folder, `${name.slice(0, 32)}.json`);
  }
}
