// The profile file: which cluster is meant and the sign-in for each. Holds tokens, so only its owner may read it.

import { readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { CliError, EXIT } from './exit.ts';
import { writePrivateFile } from './private-file.ts';

export interface SignIn {
  readonly username: string;
  readonly token: string;
  readonly expires_at: string;
}

export interface Profile {
  /** Address of the cluster commands go to when nothing else is said. */
  readonly url: string | null;
  /** By address: a token is only ever sent to the address that gave it. */
  readonly sign_ins: Readonly<Record<string, SignIn>>;
}

const EMPTY_PROFILE: Profile = { url: null, sign_ins: {} };

export function profilePath(env: Readonly<Record<string, string | undefined>>): string {
  return join(env.XDG_CONFIG_HOME || join(env.HOME || homedir(), '.config'), 'cloudai', 'config.json');
}

/** @throws {CliError} when the file is there but cannot be used. */
export async function readProfile(path: string): Promise<Profile> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return EMPTY_PROFILE;
    throw new CliError(EXIT.usage, `cannot read ${path}: ${(error as Error).message}`, 'Check who owns it.');
  }
  try {
    const found = JSON.parse(text) as Partial<Profile> | null;
    return { url: found?.url ?? null, sign_ins: { ...found?.sign_ins } };
  } catch {
    throw new CliError(EXIT.usage, `${path} is not JSON`, 'Remove it and sign in again.');
  }
}

/** @throws {CliError} when it cannot be written; the file is then as it was */
export async function writeProfile(path: string, profile: Profile): Promise<void> {
  try {
    await writePrivateFile(path, `${JSON.stringify(profile, null, 2)}\n`);
  } catch (error) {
    throw new CliError(
      EXIT.failed,
      `cannot write ${path}: ${(error as Error).message}`,
      'Make the folder writable, or set XDG_CONFIG_HOME to one that is.',
    );
  }
}
