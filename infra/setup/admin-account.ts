// The admin of a local cluster: made on the first run, known again on later ones by a token kept in the data folder.
// The password is shown once and kept nowhere.

import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { ApiError, type Client, createClient } from '../../client/client.ts';
import { readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';

export const ADMIN = 'admin';
const TOKEN_NAME = 'npm start';

export type Admin =
  | { readonly kind: 'created'; readonly client: Client; readonly token: string; readonly password: string }
  | { readonly kind: 'known'; readonly client: Client; readonly token: string }
  /** The cluster has accounts, and this data folder has no valid token of one. */
  | { readonly kind: 'unknown'; readonly why: string };

export interface AdminOptions {
  readonly url: string;
  readonly dataDir: string;
  /** Told at once, so that it is not lost if the next step fails. */
  readonly onPassword: (password: string) => void;
}

export function tokenFile(dataDir: string): string {
  return join(dataDir, 'admin-token');
}

/** @throws {ApiError} or ConnectionError when the API fails otherwise than by a refusal named above. */
export async function ensureAdmin({ url, dataDir, onPassword }: AdminOptions): Promise<Admin> {
  const kept = (await readPrivateFile(tokenFile(dataDir)))?.trim();
  if (kept) {
    const client = createClient({ url, token: kept });
    try {
      await client.me();
      return { kind: 'known', client, token: kept };
    } catch (error) {
      // The token is of another store, or was deleted.
      if (!(error instanceof ApiError && error.status === 401)) throw error;
    }
  }
  const password = randomBytes(12).toString('base64url');
  const anonymous = createClient({ url });
  try {
    await anonymous.register({ username: ADMIN, password });
  } catch (error) {
    if (error instanceof ApiError && (error.status === 409 || error.status === 403)) {
      return { kind: 'unknown', why: error.message };
    }
    throw error;
  }
  onPassword(password);
  const { token: session } = await anonymous.login({ username: ADMIN, password });
  const { token } = await createClient({ url, token: session }).createToken(TOKEN_NAME);
  await writePrivateFile(tokenFile(dataDir), `${token}\n`);
  return { kind: 'created', client: createClient({ url, token }), token, password };
}
