// The data folder's private values: made once, kept in files that only their owner can read. Never printed here.

import { randomBytes } from 'node:crypto';
import { chmod, mkdir, open, readFile, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AppError } from '../../shared/errors.ts';

export interface Secrets {
  /** Signs sessions: as long as it stays, people stay signed in over restarts. */
  readonly jwtSecret: string;
  /** Of the private Redis. */
  readonly redisPassword: string;
}

/** Makes the folder, closed to others, unless it is there. */
export async function makePrivateFolder(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
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

/** The text of a file, or null when there is none. Closes the file to others if it was open. */
export async function readPrivateFile(file: string): Promise<string | null> {
  try {
    const text = await readFile(file, 'utf8');
    await chmod(file, 0o600);
    return text;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** Replaces a file whole, mode 0600: a crash leaves the old or the new one, never half of it. */
export async function writePrivateFile(file: string, text: string): Promise<void> {
  await makePrivateFolder(dirname(file));
  const draft = `${file}.${process.pid}.new`;
  await rm(draft, { force: true });
  const handle = await open(draft, 'wx', 0o600);
  try {
    await handle.writeFile(text);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rename(draft, file);
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
