// What a machine is, in words, alike in the CLI and the dashboard. Pure.

import type { WorkerBody } from '../shared/contracts/workers.ts';

type Fingerprint = NonNullable<WorkerBody['fingerprint']>;

/** `none`, `2`, `2 × NVIDIA L4`. */
export function gpuWords(models: readonly string[], number: number): string {
  if (number === 0) return 'none';
  const named = [...new Set(models)].join(', ');
  return named === '' ? String(number) : `${number} × ${named}`;
}

/** Folders of its machine that tasks may have; null when there are none. */
export function mountWords(mounts: WorkerBody['mounts'] = []): string | null {
  const named = mounts.map(({ path, read_only }) => (read_only ? `${path} (read-only)` : path));
  return named.join(', ') || null;
}

/** What tasks there can reach; null when its runner does not say. */
export function taskNetworkWords(
  found: Pick<Fingerprint, 'task_network' | 'task_network_why'>,
): string | null {
  const { task_network: network, task_network_why: why } = found;
  // A runner of an earlier release says nothing at all.
  if (network == null) return null;
  if (network === 'guarded')
    return "guarded: kept away from the machine, the cluster's servers and cloud metadata";
  return `open: tasks reach whatever the machine reaches${why === null ? '' : ` (${why})`}`;
}
