// The version of this build: put in by the bundler, else from package.json.

import { readFileSync } from 'node:fs';

/** Exists only in the bundle, where its uses are replaced by the text itself (cli/package/vite.config.ts). */
declare const CLOUDAI_VERSION: string | undefined;

export function readVersion(): string {
  if (typeof CLOUDAI_VERSION === 'string') return CLOUDAI_VERSION;
  // The file lies one folder up in the sources and two in `dist`.
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as Record<string, string>;
      if (found.name === 'cloudai-system' && found.version) return found.version;
    } catch {
      // Not there: look further up.
    }
  }
  return '0.0.0';
}
