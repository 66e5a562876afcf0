// The settings with which servers speak TLS. The files are read once here, so that a wrong one is a wrong setting like any
// other, and again by whoever listens.

import Joi from 'joi';
import { messageOf } from '../../errors.ts';
import { readTlsFiles, type TlsFiles } from '../tls-files.ts';
import type { Values } from './reading.ts';

export const tlsSettings = {
  TLS_CERT_FILE: Joi.string().custom(checkPair).messages({
    'tls.alone': 'needs TLS_KEY_FILE beside it',
    'tls.bad': '{#reason}',
  }),
  TLS_KEY_FILE: Joi.string()
    .custom((path: string, { error, prefs }) =>
      prefs.context?.TLS_CERT_FILE === undefined ? error('tls.alone') : path,
    )
    .messages({ 'tls.alone': 'needs TLS_CERT_FILE beside it' }),
};

/** Null: no TLS. */
export function tlsConfig(v: Values): TlsFiles | null {
  return v.TLS_CERT_FILE === undefined ? null : { certFile: v.TLS_CERT_FILE, keyFile: v.TLS_KEY_FILE };
}

function checkPair(certFile: string, { error, prefs }: Joi.CustomHelpers): string | Joi.ErrorReport {
  const keyFile: string | undefined = prefs.context?.TLS_KEY_FILE;
  if (keyFile === undefined) return error('tls.alone');
  try {
    readTlsFiles({ certFile, keyFile });
    return certFile;
  } catch (fault) {
    return error('tls.bad', { reason: messageOf(fault) });
  }
}
