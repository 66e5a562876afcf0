// Files and folders that the settings of a cluster name, on this machine: adopting must never make an empty database
// or an empty folder in the place of the cluster's own.

import { constants } from 'node:fs';
import { access, stat } from 'node:fs/promises';
import { isAbsolute } from 'node:path';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import { pathOf } from './cluster-settings.ts';

type Paths = Pick<ClusterSettings, 'STORE_URL' | 'FILES_URL'>;

/** What is not there or cannot be used, in words. */
export async function missingHere({ STORE_URL, FILES_URL }: Paths): Promise<string[]> {
  const wanted = [
    ...(STORE_URL.startsWith('sqlite:')
      ? [{ name: 'STORE_URL', url: STORE_URL, kind: 'file' as const }]
      : []),
    ...(FILES_URL.startsWith('file:')
      ? [{ name: 'FILES_URL', url: FILES_URL, kind: 'folder' as const }]
      : []),
  ];
  const faults = await Promise.all(wanted.map(({ url, kind }) => faultOf(pathOf(url), kind)));
  return wanted.flatMap(({ name }, n) => (faults[n] ? [`${name} names ${faults[n]}`] : []));
}

async function faultOf(path: string, kind: 'file' | 'folder'): Promise<string | null> {
  if (!isAbsolute(path)) return `${path}, which is no absolute path`;
  try {
    const found = await stat(path);
    const isRight = kind === 'file' ? found.isFile() && found.size > 0 : found.isDirectory();
    if (!isRight) return `${path}, which is no ${kind === 'file' ? 'database' : 'folder'} on this machine`;
    await access(path, constants.R_OK | constants.W_OK);
    return null;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    const isMissing = code === 'ENOENT' || code === 'ENOTDIR';
    return `${path}, which ${isMissing ? 'is not there' : `cannot be used (${code})`} on this machine`;
  }
}
