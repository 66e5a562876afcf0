// Passwords as scrypt hashes. Hashing is slow on purpose, so only a few run at once and only so many may wait.
// Never keeps, logs or returns a password.

import { randomBytes, type ScryptOptions, scrypt, timingSafeEqual } from 'node:crypto';
import { AppError } from '../../shared/errors.ts';

/** OWASP Password Storage Cheat Sheet: N = 2^15, r = 8, p = 3 is one of its equal settings; 32 MB a hash. */
const LOG2_COST = 15;
const BLOCK_SIZE = 8;
const PARALLELISM = 3;
const KEY_BYTES = 32;
const SALT_BYTES = 16;

export interface HasherLimits {
  readonly atOnce: number;
  readonly maxWaiting: number;
  /** Of new hashes. A hash that is stored is verified at its own cost. */
  readonly log2Cost: number;
}

/**
 * Two of libuv's four threads: the others stay free for files and names. At about a fifth of a second each, and several
 * times that on a busy machine, a longer line would wait longer than anyone does.
 */
const LIMITS: HasherLimits = { atOnce: 2, maxWaiting: 16, log2Cost: LOG2_COST };

export class PasswordHasher {
  readonly #limits: HasherLimits;
  #running = 0;
  readonly #waiting: (() => void)[] = [];
  /** Nobody's password: verifying against it costs the same as against a real one. */
  readonly #decoy: string;

  constructor(limits: Partial<HasherLimits> = {}) {
    this.#limits = { ...LIMITS, ...limits };
    const { log2Cost } = this.#limits;
    this.#decoy = encode(log2Cost, BLOCK_SIZE, PARALLELISM, randomBytes(SALT_BYTES), randomBytes(KEY_BYTES));
  }

  /** @returns parameters, salt and hash in one string */
  async hash(password: string): Promise<string> {
    const salt = randomBytes(SALT_BYTES);
    const { log2Cost } = this.#limits;
    const key = await this.#derive(password, salt, log2Cost, BLOCK_SIZE, PARALLELISM, KEY_BYTES);
    return encode(log2Cost, BLOCK_SIZE, PARALLELISM, salt, key);
  }

  /** Takes as long when there is no hash (null) as when there is one. */
  async verify(password: string, stored: string | null): Promise<boolean> {
    const { log2Cost, blockSize, parallelism, salt, key } = decode(stored ?? this.#decoy);
    const derived = await this.#derive(password, salt, log2Cost, blockSize, parallelism, key.length);
    return timingSafeEqual(derived, key) && stored !== null;
  }

  async #derive(
    password: string,
    salt: Buffer,
    log2Cost: number,
    r: number,
    p: number,
    bytes: number,
  ): Promise<Buffer> {
    await this.#turn();
    try {
      const N = 2 ** log2Cost;
      // The same characters typed on another system must give the same bytes.
      return await derive(password.normalize('NFC'), salt, bytes, { N, r, p, maxmem: 256 * N * r });
    } finally {
      this.#running -= 1;
      this.#waiting.shift()?.();
    }
  }

  async #turn(): Promise<void> {
    if (this.#running >= this.#limits.atOnce) {
      if (this.#waiting.length >= this.#limits.maxWaiting) {
        throw new AppError('rate_limited', 'too many logins at once; try again in a moment', {
          retryable: true,
          retryAfterSeconds: 5,
        });
      }
      await new Promise<void>((go) => this.#waiting.push(go));
    }
    this.#running += 1;
  }
}

function derive(password: string, salt: Buffer, bytes: number, options: ScryptOptions): Promise<Buffer> {
  return new Promise((done, fail) => {
    scrypt(password, salt, bytes, options, (error, key) => (error ? fail(error) : done(key)));
  });
}

function encode(log2Cost: number, r: number, p: number, salt: Buffer, key: Buffer): string {
  return `$scrypt$ln=${log2Cost},r=${r},p=${p}$${salt.toString('base64')}$${key.toString('base64')}`;
}

const FORM = /^\$scrypt\$ln=(\d+),r=(\d+),p=(\d+)\$([A-Za-z0-9+/=]+)\$([A-Za-z0-9+/=]+)$/;

function decode(stored: string) {
  const [, log2Cost, r, p, salt, key] = FORM.exec(stored) ?? [];
  if (!salt || !key) throw new AppError('internal', 'a password hash in the store is not readable');
  return {
    log2Cost: Number(log2Cost),
    blockSize: Number(r),
    parallelism: Number(p),
    salt: Buffer.from(salt, 'base64'),
    key: Buffer.from(key, 'base64'),
  };
}
