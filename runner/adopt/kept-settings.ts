// The cluster this machine was adopted into, kept over restarts in a file that only its owner can read: it holds the
// passwords of the store and of Redis.

import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import { clusterSettingsSchema } from '../../shared/contracts/adoption-schemas.ts';
import { AppError, messageOf } from '../../shared/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';

export interface Kept {
  readonly settings: ClusterSettings;
  /** It has been on the cluster's records: when it is missing there, an admin has removed it. */
  readonly hasJoined: boolean;
}

export class KeptSettings {
  readonly path: string;

  constructor(dataDir: string) {
    this.path = join(dataDir, 'cluster-settings.json');
  }

  /** Null when there are none. @throws AppError `bad_config` when the file is damaged or cannot be read */
  async load(): Promise<Kept | null> {
    const text = await readPrivateFile(this.path).catch((cause) => {
      throw this.#fault(messageOf(cause), cause);
    });
    if (text === null) return null;
    const { settings, has_joined } = parse(text);
    const { error, value } = clusterSettingsSchema.validate(settings);
    if (error) throw this.#fault(error.message, error);
    return { settings: value, hasJoined: has_joined === true };
  }

  /** Whole or not at all, whatever happens meanwhile. */
  async keep({ settings, hasJoined }: Kept): Promise<void> {
    const text = JSON.stringify({ settings, has_joined: hasJoined }, null, 2);
    await writePrivateFile(this.path, `${text}\n`);
  }

  async drop(): Promise<void> {
    await rm(this.path, { force: true });
  }

  #fault(why: string, cause: unknown): AppError {
    return new AppError('bad_config', `the settings kept in ${this.path} cannot be used (${why})`, { cause });
  }
}

/** Empty when it is no JSON; the parser's own words would quote what is in the file. */
function parse(text: string): { settings?: unknown; has_joined?: unknown } {
  try {
    return Object(JSON.parse(text));
  } catch {
    return {};
  }
}
