// Which life of this runner is the newest on its machine, in a file beside its identity. A life that was frozen, or is cut
// off and can ask nobody, sees there that another has its containers now. Only the holder of the lease writes it.

import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../shared/platform/private-file.ts';
import { within } from './executor/patience.ts';

/** Containers that must end wait no longer for a disk. */
const READ_MS = 500;

export class NewestLife {
  readonly #path: string;
  readonly #incarnation: string;

  constructor(directory: string, incarnation: string) {
    this.#path = join(directory, 'life');
    this.#incarnation = incarnation;
  }

  /** Throws what writing the file fails with. */
  async claim(): Promise<void> {
    await writePrivateFile(this.#path, `${this.#incarnation}\n`);
  }

  /** False also when nobody can tell. Never throws. */
  async isAnother(): Promise<boolean> {
    try {
      const text = await within(READ_MS, 'reading which life is the newest', readPrivateFile(this.#path));
      const newest = text?.trim() ?? '';
      return newest !== '' && newest !== this.#incarnation;
    } catch {
      return false;
    }
  }
}
