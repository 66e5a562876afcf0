// What the part of a file is called while it is on its way. Pure.

import { createHash } from 'node:crypto';

/** Of one name in a folder, as UTF-8. */
const NAME_MAX_BYTES = 255;
const SUFFIX = '.part';

/**
 * `<name>.part` beside the file, unless that is among `taken`: a task may well have left a file of that name. The
 * same for the same input, so that a later run finds it again.
 */
export function partName(path: string, taken: ReadonlySet<string>): string {
  let part = `${path}${SUFFIX}`;
  while (taken.has(part)) part += SUFFIX;
  const slash = part.lastIndexOf('/') + 1;
  if (Buffer.byteLength(part.slice(slash)) <= NAME_MAX_BYTES) return part;
  return `${part.slice(0, slash)}${createHash('sha256').update(part).digest('hex').slice(0, 32)}${SUFFIX}`;
}
