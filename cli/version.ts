// The version of this build, from package.json.

import { readFileSync } from 'node:fs';

export function readVersion(): string {
  // The file lies one folder up in the sources and two in `dist`.
  for (const up of ['../package.json', '../../package.json']) {
    try {
      const found = JSON.parse(readFileSync(new URL(up, import.meta.url), 'utf8')) as Record<string, string>;
      if (found.name === 'cloudai' && found.version) return found.version;
    } catch {
      // Not there: look further up.
    }
  }
  return '0.0.0';
}
