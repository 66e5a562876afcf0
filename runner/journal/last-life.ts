// Whether the machine was started anew since the last life of this runner. Kept in a file beside its identity.

import { join } from 'node:path';
import { readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';

export class LastLife {
  readonly #path: string;
  readonly #bootId: string | null;

  /** @param bootId of the machine as it runs now; null when it does not tell */
  constructor(directory: string, bootId: string | null) {
    this.#path = join(directory, 'boot');
    this.#bootId = bootId;
  }

  /** False also when nobody can tell. Throws what reading the file fails with. */
  async wasOnEarlierBoot(): Promise<boolean> {
    const last = (await readPrivateFile(this.#path))?.trim() ?? '';
    return last !== '' && this.#bootId !== null && last !== this.#bootId;
  }

  /** From here on it is the last life. To be called when what the earlier one left has been looked at. */
  async note(): Promise<void> {
    if (this.#bootId !== null) await writePrivateFile(this.#path, `${this.#bootId}\n`);
  }
}
