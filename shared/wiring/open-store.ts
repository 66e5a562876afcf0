// Picks the store, the log store and the file store that the settings name, and loads no driver but theirs. Only a main.ts, a
// test or a bench comes here.

import { openDiskFileStore } from '../adapters/disk/file-store.ts';
import { openDiskLogStore } from '../adapters/disk/log-store.ts';
import { AppError } from '../errors.ts';
import type { FileStore } from '../ports/file-store.ts';
import type { LogStore } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';

export interface Records {
  readonly store: Store;
  readonly logs: LogStore;
  readonly files: FileStore;
}

/** Closing the store closes all. */
export async function openRecords(config: { storeUrl: string; filesUrl: string }): Promise<Records> {
  const { storeUrl, filesUrl } = config;
  if (storeUrl.startsWith('mongodb')) {
    const { openMongo } = await import('../adapters/mongo/open.ts');
    const parts = await openMongo(storeUrl);
    if (filesUrl === 'mongodb') return parts;
    return { store: parts.store, ...(await onDisk(filesUrl, parts.store)) };
  }
  if (filesUrl === 'mongodb') {
    throw new AppError('bad_config', 'FILES_URL=mongodb needs a STORE_URL that begins with mongodb://');
  }
  const { openSqliteStore } = await import('../adapters/sqlite/open.ts');
  const store = await openSqliteStore(storeUrl.slice('sqlite:'.length));
  return { store, ...(await onDisk(filesUrl, store)) };
}

async function onDisk(filesUrl: string, store: Store): Promise<Pick<Records, 'logs' | 'files'>> {
  const dir = directoryOf(filesUrl);
  try {
    return { logs: openDiskLogStore(dir), files: await openDiskFileStore(dir) };
  } catch (error) {
    await store.close();
    throw error;
  }
}

function directoryOf(filesUrl: string): string {
  return filesUrl.replace(/^file:(\/\/)?/, '');
}
