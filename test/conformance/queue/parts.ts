// Opens the parts under test and leaves nothing behind: neither connections nor keys.

import { Redis } from 'ioredis';
import { openRedis, type RedisParts } from '../../../shared/adapters/redis/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { redisUrl, uniqueName } from '../../support/servers.ts';

export interface OpenOptions {
  readonly url?: string;
  readonly patience?: 'fail-fast' | 'patient';
}

/** One prefix; each `open` is like another process of the same cluster. */
export class TestCluster {
  readonly prefix = uniqueName('q-');
  readonly #opened: RedisParts[] = [];

  async open({ url = redisUrl, patience = 'patient' }: OpenOptions = {}): Promise<RedisParts> {
    const parts = await openRedis({ url, prefix: this.prefix, patience, log: silentLog() });
    this.#opened.push(parts);
    return parts;
  }

  async close(): Promise<void> {
    await Promise.all(this.#opened.splice(0).map((parts) => parts.close()));
    await this.dropKeys();
  }

  async keys(pattern = '*'): Promise<string[]> {
    return withClient(async (client) => {
      const found: string[] = [];
      for await (const keys of client.scanStream({ match: `${this.prefix}:${pattern}`, count: 1_000 })) {
        found.push(...(keys as string[]));
      }
      return [...new Set(found)];
    });
  }

  async command(name: string, ...args: string[]): Promise<unknown> {
    return withClient((client) => client.call(name, ...args));
  }

  async dropKeys(): Promise<void> {
    const keys = await this.keys();
    if (keys.length > 0) await withClient((client) => client.unlink(...keys));
  }
}

async function withClient<T>(use: (client: Redis) => Promise<T>): Promise<T> {
  const client = new Redis(redisUrl);
  try {
    return await use(client);
  } finally {
    client.disconnect();
  }
}
