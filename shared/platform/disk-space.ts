// How much room a disk has. A disk that hangs, as one on a network may, holds up nobody who asks.

import { statfs } from 'node:fs/promises';
import { withDeadline } from './deadline.ts';

/** A disk answers at once, or it hangs. */
const WAIT_MS = 2_000;
const BYTES_PER_MB = 2 ** 20;

/** MB that are free where this folder is; null when that cannot be told. Never throws. */
export async function freeDiskMb(directory: string): Promise<number | null> {
  try {
    const late = () => new Error('the disk does not answer');
    const { bavail, bsize } = await withDeadline(statfs(directory), WAIT_MS, late);
    return (bavail * bsize) / BYTES_PER_MB;
  } catch {
    return null;
  }
}
