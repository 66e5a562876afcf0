// The store of a run and how it is made to answer nobody: SQLite by another process that holds its lock, MongoDB by
// killing the server.

import { type ChildProcess, spawn } from 'node:child_process';
import { resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { OwnMongo } from '../support/own-mongo.ts';

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

/** A server of this run's own that speaks MongoDB's protocol, where hosts reach it. */
export async function openMongo(address: string): Promise<OwnStore> {
  const server = await OwnMongo.started(address);
  return {
    url: server.url,
    beAwayFor: async (ms) => {
      await server.kill();
      await delay(ms);
      await server.start();
    },
    stop: () => server.remove(),
  };
}
