// What the parts of files are called while they are on their way. Pure.

import { createHash } from 'node:crypto';

/** Of one name in a folder, as UTF-8. */
const NAME_MAX_BYTES = 255;
const SUFFIX = '.part';

/**
 * For each path `<path>.part`, or with more of them when a file or another part has that name: a task may well have
 * left one. The same for the same paths, so that a later run finds them again.
 */
export function partNames(paths: readonly string[]): ReadonlyMap<string, string> {
  const taken = new Set(paths);
  const parts = new Map<string, string>();
  for (const path of paths) {
    let part = `${path}${SUFFIX}`;
    while (taken.has(part)) part += SUFFIX;
    part = fitting(part);
    taken.add(part);
    parts.set(path, part);
  }
  return parts;
}

function fitting(part: string): string {
  const slash = part.lastIndexOf('/') + 1;
  if (Buffer.byteLength(part.slice(slash)) <= NAME_MAX_BYTES) return part;
  return `${part.slice(0, slash)}${createHash('sha256').update(part).digest('hex').slice(0, 32)}${SUFFIX}`;
}
