// A folder on this machine into which files of a cluster are put. Nothing is ever written outside of it, whatever
// the files are called and whatever links lie in it.

import { lstat, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { filePathFault } from '../../shared/model/file-path.ts';
import { CliError, EXIT } from '../exit.ts';

export class LocalFolder {
  /** Absolute. The folder itself may be a link: it was named by the user. */
  readonly path: string;
  readonly #platform: NodeJS.Platform;
  readonly #ready = new Map<string, Promise<void>>();

  constructor(path: string, platform: NodeJS.Platform = process.platform) {
    this.path = resolve(path);
    this.#platform = platform;
  }

  /** Makes the folder itself. @throws {CliError} when there is something else of its name */
  async make(): Promise<void> {
    try {
      await mkdir(this.path, { recursive: true });
    } catch (error) {
      throw new CliError(
        EXIT.failed,
        `cannot make ${this.path}: ${(error as Error).message}`,
        'Name another folder.',
      );
    }
  }

  /**
   * Where the file of this path is to lie; the folders on the way are there after that.
   * @throws {CliError} for a path that no file may have, or one that leads over a link or a file
   */
  async placeOf(path: string): Promise<string> {
    const fault = filePathFault(path) ?? (this.#platform === 'win32' ? windowsFault(path) : null);
    if (fault !== null) throw refused(`its name must be ${fault}`);
    const parts = path.split('/');
    const name = parts.pop() ?? '';
    let folder = this.path;
    for (const part of parts) {
      folder = join(folder, part);
      await this.#folder(folder);
    }
    return join(folder, name);
  }

  /** Each one is looked at once in a run. */
  #folder(path: string): Promise<void> {
    const known = this.#ready.get(path);
    if (known) return known;
    const made = makeRealFolder(path);
    this.#ready.set(path, made);
    return made;
  }
}

async function makeRealFolder(path: string): Promise<void> {
  await mkdir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error;
  });
  // Only now, so that what was there and what came in between are treated alike.
  const found = await lstat(path);
  if (found.isSymbolicLink()) throw refused(`${path} is a link, and nothing is written through links`);
  if (!found.isDirectory()) throw refused(`${path} is no folder`);
}

/** What is a device, a drive, a stream or another name there. */
function windowsFault(path: string): string | null {
  const wrong = path
    .split('/')
    .some((part) => /[<>:"|?*]|[. ]$|^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(part));
  return wrong ? 'one that Windows takes' : null;
}

function refused(why: string): CliError {
  return new CliError(EXIT.failed, why);
}
