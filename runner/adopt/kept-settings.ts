// The cluster this machine was adopted into, kept over restarts in a file that only its owner can read: it holds the
// passwords of the store and of Redis.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import { clusterSettingsSchema } from '../../shared/contracts/adoption-schemas.ts';
import { AppError, messageOf } from '../../shared/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';

export class KeptSettings {
  readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'cluster-settings.json');
  }

  /** Null when there are none. @throws AppError `bad_config` when the file is damaged or cannot be read */
  async load(): Promise<ClusterSettings | null> {
    const text = await readPrivateFile(this.path).catch((cause) => {
      throw this.#fault(messageOf(cause), cause);
    });
    if (text === null) return null;
    const { error, value } = clusterSettingsSchema.validate(parse(text));
    if (error) throw this.#fault(error.message, error);
    return value;
  }

  /** Whole or not at all, whatever happens meanwhile. */
  async keep(settings: ClusterSettings): Promise<void> {
    await writePrivateFile(this.path, `${JSON.stringify(settings, null, 2)}\n`);
  }

  async drop(): Promise<void> {
    await rm(this.path, { force: true });
  }

  #fault(why: string, cause: unknown): AppError {
    return new AppError('bad_config', `the settings kept in ${this.path} cannot be used (${why})`, { cause });
  }
}

/** Undefined when it is no JSON; the parser's own words would quote what is in the file. */
function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
