// Proof that both sides of an adoption hold the cluster's token, and the seal on what the API then sends.
//
// Three-pass mutual authentication with a keyed check function (ISO/IEC 9798-4) over a fresh X25519 agreement
// (RFC 7748): each proof is HMAC-SHA-256 over everything both sides have said, so it is good for this one exchange
// and these two keys only. The seal's key is derived with HKDF (RFC 5869) from the agreed secret and the token
// together: who records the exchange and learns the token later still cannot open it.

import {
  createCipheriv,
  createDecipheriv,
  createHash,
  createHmac,
  createPublicKey,
  diffieHellman,
  generateKeyPairSync,
  hkdfSync,
  type KeyObject,
  randomBytes,
  timingSafeEqual,
} from 'node:crypto';
import { AppError } from '../errors.ts';

/** A token shorter than this could be guessed from a recorded proof. */
export const CLUSTER_TOKEN_MIN_LENGTH = 32;

/** One side's share of an exchange. The private part stays in memory and is used once. */
export interface KeyShare {
  readonly nonce: string;
  readonly publicKey: string;
  readonly privateKey: KeyObject;
}

/** What was said by both, in the order in which it was said. */
export interface Transcript {
  readonly version: number;
  readonly workerId: string;
  readonly address: string;
  readonly apiNonce: string;
  readonly apiPublicKey: string;
  readonly runnerNonce: string;
  readonly runnerPublicKey: string;
}

/** Who proves, and what: a proof of one is never one of another. */
export type Prover = 'runner' | 'api' | 'accepted';

export interface SealedBytes {
  readonly iv: string;
  readonly data: string;
  readonly tag: string;
}

const IV_BYTES = 12;
const KEY_BYTES = 32;

export function newKeyShare(): KeyShare {
  const { publicKey, privateKey } = generateKeyPairSync('x25519');
  const { x } = publicKey.export({ format: 'jwk' });
  return {
    nonce: randomBytes(32).toString('base64'),
    publicKey: Buffer.from(x ?? '', 'base64url').toString('base64'),
    privateKey,
  };
}

export function prove(token: string, prover: Prover, transcript: Transcript): string {
  return createHmac('sha256', derive(Buffer.from(token), 'proof', ''))
    .update(`${prover}\n`)
    .update(digest(transcript))
    .digest('base64');
}

export function isProof(proof: string, token: string, prover: Prover, transcript: Transcript): boolean {
  const given = Buffer.from(proof, 'base64');
  const right = Buffer.from(prove(token, prover, transcript), 'base64');
  return given.length === right.length && timingSafeEqual(given, right);
}

/** `theirs` is the other side's public key as it was sent. @throws AppError `invalid_request` when it is none */
export function seal(
  value: unknown,
  token: string,
  mine: KeyShare,
  theirs: string,
  transcript: Transcript,
): SealedBytes {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv('aes-256-gcm', sealKey(token, mine, theirs, transcript), iv);
  cipher.setAAD(digest(transcript));
  const data = Buffer.concat([cipher.update(JSON.stringify(value), 'utf8'), cipher.final()]);
  return {
    iv: iv.toString('base64'),
    data: data.toString('base64'),
    tag: cipher.getAuthTag().toString('base64'),
  };
}

/** @throws AppError `invalid_request` when it was sealed by another, for another exchange, or changed on its way */
export function unseal(
  sealed: SealedBytes,
  token: string,
  mine: KeyShare,
  theirs: string,
  transcript: Transcript,
): unknown {
  try {
    const key = sealKey(token, mine, theirs, transcript);
    const iv = Buffer.from(sealed.iv, 'base64');
    const tag = Buffer.from(sealed.tag, 'base64');
    const decipher = createDecipheriv('aes-256-gcm', key, iv, { authTagLength: 16 });
    decipher.setAAD(digest(transcript));
    decipher.setAuthTag(tag);
    const data = [decipher.update(Buffer.from(sealed.data, 'base64')), decipher.final()];
    return JSON.parse(Buffer.concat(data).toString('utf8'));
  } catch (cause) {
    throw new AppError('invalid_request', 'the sealed settings cannot be opened', { cause });
  }
}

function sealKey(token: string, mine: KeyShare, theirs: string, transcript: Transcript): Buffer {
  const agreed = diffieHellman({ privateKey: mine.privateKey, publicKey: publicKeyOf(theirs) });
  return derive(Buffer.concat([agreed, Buffer.from(token)]), 'seal', digest(transcript));
}

function publicKeyOf(text: string): KeyObject {
  try {
    const x = Buffer.from(text, 'base64').toString('base64url');
    return createPublicKey({ key: { kty: 'OKP', crv: 'X25519', x }, format: 'jwk' });
  } catch (cause) {
    throw new AppError('invalid_request', 'the public key is not one', { cause });
  }
}

function derive(secret: Buffer, purpose: string, salt: Buffer | string): Buffer {
  return Buffer.from(hkdfSync('sha256', secret, salt, `cloudai adoption ${purpose}`, KEY_BYTES));
}

/** An array of texts has one JSON form, so nothing can be shifted from one field into the next. */
function digest(transcript: Transcript): Buffer {
  const { version, workerId, address, apiNonce, apiPublicKey, runnerNonce, runnerPublicKey } = transcript;
  const said = [String(version), workerId, address, apiNonce, apiPublicKey, runnerNonce, runnerPublicKey];
  return createHash('sha256').update(JSON.stringify(said)).digest();
}
