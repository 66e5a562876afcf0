// The store of a run and how it is made to answer nobody: SQLite by another process that holds its lock, MongoDB by
// killing the server.

import { type ChildProcess, spawn } from 'node:child_process';
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { ensureMongo, type RunningMongo } from '../../infra/setup/mongodb.ts';
import { openCutLine } from '../support/cut-line.ts';

export interface OwnStore {
  readonly url: string;
  /** Resolves when it answers again. */
  beAwayFor(ms: number): Promise<void>;
  stop(): Promise<void>;
}

const HOLDER = resolve(import.meta.dirname, 'hold-store.mjs');

export function openSqlite(file: string): OwnStore {
  let holder: ChildProcess | null = null;
  return {
    url: `sqlite:${file}`,
    beAwayFor: async (ms) => {
      const child = spawn(process.execPath, [HOLDER, file], { stdio: ['pipe', 'pipe', 'inherit'] });
      holder = child;
      const gone = new Promise((done) => child.once('exit', done));
      await Promise.race([new Promise((held) => child.stdout?.once('data', held)), gone]);
      await delay(ms);
      child.stdin?.end();
      await gone;
      holder = null;
    },
    stop: async () => void holder?.kill('SIGKILL'),
  };
}

/** A server of this run's own that speaks MongoDB's protocol, reached by hosts through a line at `address`. */
export async function openMongo(folder: string, address: string): Promise<OwnStore> {
  const start = (): Promise<RunningMongo> =>
    ensureMongo({
      cacheDir: join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cloudai'),
      dataDir: folder,
      progress: () => undefined,
      // Not the one of other tests.
      env: { ...process.env, MONGODB_URL: '' },
    });
  let server = await start();
  const line = await openCutLine(server.url, address);
  return {
    url: `mongodb://${new URL(line.url).host}/chaos`,
    beAwayFor: async (ms) => {
      if (server.pid !== null) process.kill(server.pid, 'SIGKILL');
      await server.stop();
      await delay(ms);
      server = await start();
      line.leadTo(server.url);
    },
    stop: async () => {
      await line.close();
      await server.stop();
    },
  };
}
