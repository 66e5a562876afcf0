// Where a suite of the store runs: one database that can be opened as often as a test likes, as by several
// processes.

import { fork } from 'node:child_process';
import { once } from 'node:events';
import { resolve } from 'node:path';
import { openMongo } from '../../../shared/adapters/mongo/open.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import type { Store } from '../../../shared/ports/store.ts';

export interface StorePlace {
  readonly url: string;
  remove(): Promise<void>;
}

export type MakePlace = () => Promise<StorePlace>;

export async function openStore(url: string): Promise<Store> {
  if (url.startsWith('mongodb')) return (await openMongo(url)).store;
  return openSqliteStore(url);
}

export interface OtherProcess {
  /** Lines it has told so far. */
  readonly told: readonly string[];
  kill(): Promise<void>;
  /** Exit code, once it ended by itself. */
  ended(): Promise<number | null>;
}

/** Runs `other-process.ts` with these arguments. */
export function startProcess(...args: string[]): OtherProcess {
  const told: string[] = [];
  const child = fork(resolve(import.meta.dirname, 'other-process.ts'), args, {
    execArgv: ['--import', 'tsx'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  child.on('message', (line) => told.push(String(line)));
  const exit = once(child, 'exit').then(([code]) => code as number | null);
  return {
    told,
    kill: async () => {
      child.kill('SIGKILL');
      await exit;
    },
    ended: () => exit,
  };
}
