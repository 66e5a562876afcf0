// Renewed certificates are taken without a restart: on SIGHUP, and when the files have changed. Connections that are open
// keep theirs. Files that are wrong, or half written, change nothing but the log.

import { messageOf } from '../../shared/errors.ts';
import type { Log } from '../../shared/platform/log.ts';
import { readTlsFiles, type TlsFiles, type TlsTexts } from '../../shared/platform/tls-files.ts';

const LOOK_EVERY_MS = 30_000;

export interface Certificates {
  /** Looks at the files now. */
  look(): void;
  stop(): void;
}

export function keepCertificates(parts: {
  readonly files: TlsFiles;
  readonly now: TlsTexts;
  /** All who listen with them. */
  readonly use: (texts: TlsTexts) => void;
  readonly log: Log;
}): Certificates {
  const { files, use, log } = parts;
  let known = parts.now;
  let fault = '';
  const look = () => {
    try {
      const found = readTlsFiles(files);
      fault = '';
      if (found.cert === known.cert && found.key === known.key) return;
      use(found);
      known = found;
      log.info({ certFile: files.certFile }, 'a new certificate is in use');
    } catch (error) {
      // Once for each fault, not at every look.
      if (messageOf(error) !== fault) log.error({ err: error }, 'the certificate was not renewed');
      fault = messageOf(error);
    }
  };
  const timer = setInterval(look, LOOK_EVERY_MS);
  timer.unref();
  process.on('SIGHUP', look);
  return {
    look,
    stop() {
      clearInterval(timer);
      process.off('SIGHUP', look);
    },
  };
}
