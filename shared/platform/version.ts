// The version of this build, from package.json.

import { readFileSync } from 'node:fs';

export function readVersion(): string {
  // The file lies two folders up in the sources and three in `dist`.
  for (const up of ['../../package.json', '../../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as {
        name?: string;
        version?: string;
      };
      if (found.name === 'cloudai-system' && found.version) return found.version;
    } catch {
      // Not there: look further up.
    }
  }
  return '0.0.0';
}
