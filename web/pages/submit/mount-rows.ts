// Folders of the worker in the form for a new task. Pure.

import type { MountBody } from '../../../shared/contracts/mounts.ts';
import type { WorkerBody } from '../../../shared/contracts/workers.ts';
import type { ErrorDetail } from '../../../shared/errors.ts';

/** Reading is what most come for. */
export const NEW_MOUNT: MountBody = { source: '', target: '', read_only: true };
const SHOWN = 4;

/** Rows that nobody has filled in count for nothing. */
export function mountsOf(rows: readonly MountBody[]): MountBody[] {
  return rows
    .map(({ source, target, read_only }) => ({ source: source.trim(), target: target.trim(), read_only }))
    .filter(({ source, target }) => source !== '' || target !== '');
}

export function mountFaults(rows: readonly MountBody[]): ErrorDetail[] {
  return rows.flatMap(({ source, target }, at) => {
    const [from, to] = [source.trim(), target.trim()];
    if ((from === '') === (to === '')) return [];
    const message = from === '' ? 'Say which folder of the worker' : 'Say where it is to be in the container';
    return [{ field: `mounts.${at}`, message }];
  });
}

/** What there is to mount on the workers there are. */
export function mountableWords(workers: readonly Pick<WorkerBody, 'mounts'>[]): string {
  // An API of an earlier release tells none.
  const all = workers.flatMap(({ mounts = [] }) => mounts);
  const paths = [...new Set(all.map(({ path, read_only }) => (read_only ? `${path} (read-only)` : path)))];
  if (paths.length === 0) return 'No worker lets folders of its own be mounted.';
  const shown = paths.sort().slice(0, SHOWN).join(', ');
  return `There are: ${shown}${paths.length > SHOWN ? ` and ${paths.length - SHOWN} more` : ''}.`;
}
