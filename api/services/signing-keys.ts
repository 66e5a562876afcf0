// The keys that sign-ins are signed with: the first signs, all verify, so that a key can be changed without signing anybody
// out. A token names its key (`kid`) by a hash, from which the key cannot be told. Never logs or gives away a key.

import { createHash } from 'node:crypto';
import { type HapiJwt, token as jwt } from '@hapi/jwt';

const ALGORITHM = 'HS256';
const KID_CHARS = 16;

export class SigningKeys {
  readonly #keys: ReadonlyMap<string, string>;
  readonly #first: readonly [kid: string, key: string];

  /** @param keys the newest first; at least one */
  constructor(keys: readonly string[]) {
    const [first] = keys;
    if (first === undefined) throw new Error('there is no key to sign with');
    this.#first = [kidOf(first), first];
    this.#keys = new Map(keys.map((key) => [kidOf(key), key]));
  }

  sign(payload: object): string {
    const [kid, key] = this.#first;
    return jwt.generate(payload, { key, algorithm: ALGORITHM }, { header: { kid } });
  }

  /**
   * The accepted algorithm is ours to name, not the token's: "none" and others never get as far as a check.
   * @throws Error when none of the keys signed it
   */
  verify(artifacts: HapiJwt.Artifacts): void {
    const { kid } = artifacts.decoded.header as { kid?: unknown };
    // Tokens of earlier releases name none.
    const keys = kid === undefined ? [...this.#keys.values()] : [this.#keys.get(String(kid))];
    for (const key of keys) {
      if (key === undefined) continue;
      try {
        jwt.verifySignature(artifacts, { key, algorithm: ALGORITHM });
        return;
      } catch {
        // The next one may be it.
      }
    }
    throw new Error('signed with no key of this cluster');
  }
}

function kidOf(key: string): string {
  return createHash('sha256').update(`cloudai-kid\n${key}`).digest('hex').slice(0, KID_CHARS);
}
