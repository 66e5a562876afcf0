// The data folder's private values: made once, kept in files that only their owner can read. Never printed here.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';
import { CLUSTER_TOKEN_MIN_LENGTH } from '../../shared/platform/adoption-proof.ts';
import { readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';

export interface Secrets {
  /** Signs sessions: as long as it stays, people stay signed in over restarts. */
  readonly jwtSecret: string;
  /** Of the private Redis. */
  readonly redisPassword: string;
}

/** Reads `secrets.json` of the folder, or makes it. */
export async function loadSecrets(dataDir: string): Promise<Secrets> {
  const file = join(dataDir, 'secrets.json');
  const kept = await readPrivateFile(file);
  const found = kept === null ? {} : parse(kept, file);
  const secrets = {
    jwtSecret: found.jwtSecret ?? randomBytes(32).toString('hex'),
    redisPassword: found.redisPassword ?? randomBytes(24).toString('hex'),
  };
  if (found.jwtSecret === undefined || found.redisPassword === undefined) {
    await writePrivateFile(file, `${JSON.stringify(secrets, null, 2)}\n`);
  }
  return secrets;
}

/** Holds the token alone, so that the file can be copied to another machine as it is. */
export function clusterTokenFile(dataDir: string): string {
  return join(dataDir, 'cluster-token');
}

/** What this cluster and its machines share: reads it from its file in the folder, or makes it. */
export async function loadClusterToken(dataDir: string): Promise<string> {
  const file = clusterTokenFile(dataDir);
  const kept = (await readPrivateFile(file))?.trim();
  if (kept === undefined) {
    const token = randomBytes(32).toString('hex');
    await writePrivateFile(file, `${token}\n`);
    return token;
  }
  if (kept.length >= CLUSTER_TOKEN_MIN_LENGTH) return kept;
  throw new AppError(
    'bad_config',
    `${file} holds no token of at least ${CLUSTER_TOKEN_MIN_LENGTH} characters. Restore it, or remove it to have a new one made.`,
  );
}

function parse(text: string, file: string): Partial<Secrets> {
  try {
    const value = JSON.parse(text) as Partial<Record<keyof Secrets, unknown>>;
    const own = (name: keyof Secrets) => {
      const secret = value[name];
      return typeof secret === 'string' && secret.length >= 32 ? { [name]: secret } : {};
    };
    return { ...own('jwtSecret'), ...own('redisPassword') };
  } catch (error) {
    throw new AppError(
      'bad_config',
      `${file} is not readable as JSON. Restore it, or remove it to have new secrets made (all sessions end then).`,
      { cause: error },
    );
  }
}
