// A server that speaks MongoDB's protocol for one test alone, at an address that stays: killed and started again on what it
// has on disk.

import { homedir } from 'node:os';
import { join } from 'node:path';
import { isAlive } from '../../infra/setup/commands.ts';
import { ensureMongo, type RunningMongo } from '../../infra/setup/mongodb.ts';
import { type CutLine, openCutLine } from './cut-line.ts';
import { tempDir, uniqueName } from './servers.ts';
import { waitFor } from './wait-for.ts';

export class OwnMongo {
  readonly url: string;
  readonly #line: CutLine;
  readonly #dir: { path: string; remove(): Promise<void> };
  #server: RunningMongo;

  private constructor(line: CutLine, dir: { path: string; remove(): Promise<void> }, server: RunningMongo) {
    this.url = `mongodb://${new URL(line.url).host}/${uniqueName('own')}`;
    this.#line = line;
    this.#dir = dir;
    this.#server = server;
  }

  static async started(address = '127.0.0.1'): Promise<OwnMongo> {
    const dir = await tempDir();
    const server = await startIn(dir.path);
    return new OwnMongo(await openCutLine(server.url, address), dir, server);
  }

  /** SIGKILL. Whoever calls at its address is refused until it is started again. */
  async kill(): Promise<void> {
    const { pid } = this.#server;
    if (pid === null) throw new Error(`it was not started here: ${this.#server.how}`);
    // A group of its own: a server may run below a shell that watches over it.
    process.kill(-pid, 'SIGKILL');
    await waitFor(() => !isAlive(pid), { what: 'the database server to end' });
  }

  async start(): Promise<void> {
    this.#server = await startIn(this.#dir.path);
    this.#line.leadTo(this.#server.url);
  }

  async remove(): Promise<void> {
    await this.#line.close();
    await this.#server.stop();
    await this.#dir.remove();
  }
}

function startIn(path: string): Promise<RunningMongo> {
  const cacheDir = join(process.env.XDG_CACHE_HOME || join(homedir(), '.cache'), 'cloudai');
  const env = { ...process.env, MONGODB_URL: '' };
  return ensureMongo({ cacheDir, dataDir: path, progress: () => undefined, env });
}
