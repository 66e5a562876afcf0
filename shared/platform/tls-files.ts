// Certificate and private key of a server from PEM files: read, and checked against each other before anybody listens with
// them. A fault names the file.

import { createPrivateKey, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { AppError, messageOf } from '../errors.ts';

export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

export interface TlsTexts {
  /** PEM: the server's certificate, and after it those between it and its root. */
  readonly cert: string;
  readonly key: string;
}

/** @throws AppError `bad_config` that names the file */
export function readTlsFiles({ certFile, keyFile }: TlsFiles): TlsTexts {
  const cert = read(certFile);
  const key = read(keyFile);
  const certificate = make(certFile, 'a certificate in PEM form', () => new X509Certificate(cert));
  const privateKey = make(keyFile, 'a private key in PEM form without a passphrase', () =>
    createPrivateKey(key),
  );
  if (!certificate.checkPrivateKey(privateKey)) {
    throw bad(`${keyFile} does not hold the private key of the first certificate in ${certFile}`);
  }
  if (Date.parse(certificate.validTo) < Date.now()) {
    throw bad(`the certificate in ${certFile} has expired (${certificate.validTo})`);
  }
  // What it takes for weak or broken otherwise, it says only now.
  make(certFile, 'a certificate that can be used', () => createSecureContext({ cert, key }));
  return { cert, key };
}

function read(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    throw bad(`${path} cannot be read: ${messageOf(cause)}`, cause);
  }
}

function make<T>(path: string, what: string, from: () => T): T {
  try {
    return from();
  } catch (cause) {
    throw bad(`${path} does not hold ${what}: ${messageOf(cause)}`, cause);
  }
}

function bad(message: string, cause?: unknown): AppError {
  return new AppError('bad_config', message, { cause });
}
