// Picks the store and the log store that the settings name. Only a main.ts, a test or a bench comes here.

import { openDiskLogStore } from '../adapters/disk/log-store.ts';
import { openMongo } from '../adapters/mongo/open.ts';
import { openSqliteStore } from '../adapters/sqlite/open.ts';
import { AppError } from '../errors.ts';
import type { LogStore } from '../ports/log-store.ts';
import type { Store } from '../ports/store.ts';

export interface Records {
  readonly store: Store;
  readonly logs: LogStore;
}

export async function openRecords(config: { storeUrl: string; filesUrl: string }): Promise<Records> {
  const { storeUrl, filesUrl } = config;
  if (storeUrl.startsWith('mongodb')) {
    const { store, logs } = await openMongo(storeUrl);
    return { store, logs: filesUrl === 'mongodb' ? logs : openDiskLogStore(directoryOf(filesUrl)) };
  }
  if (filesUrl === 'mongodb') {
    throw new AppError('bad_config', 'FILES_URL=mongodb needs a STORE_URL that begins with mongodb://');
  }
  const store = await openSqliteStore(storeUrl.slice('sqlite:'.length));
  return { store, logs: openDiskLogStore(directoryOf(filesUrl)) };
}

function directoryOf(filesUrl: string): string {
  return filesUrl.replace(/^file:(\/\/)?/, '');
}
