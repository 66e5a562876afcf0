// Which images lie on which workers: a list per worker with the time it is kept. A list that is the same as before is
// only prolonged; whoever reads asks for the versions first and then for the lists it does not have.

import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import type { PresentImage } from '../../model/image.ts';
import type { ImageBoard, WorkerImages } from '../../ports/image-board.ts';
import type { RedisConnection } from './connection.ts';
import { FaultLog } from './fault-log.ts';
import { batches } from './queue-handle.ts';

/** Lists read in one round trip; each may be some 40 kB. */
const PER_ROUND = 50;

// KEYS: list of the worker, index. ARGV: worker id, version, time to keep in ms. 0 when the list is another.
const PROLONG = `
if redis.call('HGET', KEYS[1], 'version') ~= ARGV[2] then return 0 end
redis.call('SADD', KEYS[2], ARGV[1])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

// KEYS: list of the worker, index. ARGV: worker id, version, time to keep in ms, list.
const POST = `
redis.call('HSET', KEYS[1], 'version', ARGV[2], 'list', ARGV[4])
redis.call('SADD', KEYS[2], ARGV[1])
return redis.call('PEXPIRE', KEYS[1], ARGV[3])`;

// KEYS: index. ARGV: start of the lists' keys. Drops from the index what has expired.
const VERSIONS = `
local found = {}
for _, id in ipairs(redis.call('SMEMBERS', KEYS[1])) do
  local version = redis.call('HGET', ARGV[1] .. id, 'version')
  if version then found[#found + 1] = { id, version } else redis.call('SREM', KEYS[1], id) end
end
return found`;

type BoardClient = Redis & {
  prolongImages(key: string, index: string, worker: string, version: string, keptMs: number): Promise<number>;
  postImages(
    key: string,
    index: string,
    worker: string,
    version: string,
    keptMs: number,
    list: string,
  ): Promise<number>;
  imageVersions(index: string, start: string): Promise<[workerId: string, version: string][]>;
};

export class RedisImageBoard implements ImageBoard {
  readonly #connection: RedisConnection;
  readonly #client: BoardClient;
  readonly #index: string;
  readonly #malformed: FaultLog;

  constructor(connection: RedisConnection) {
    this.#connection = connection;
    this.#index = `${connection.prefix}:images`;
    this.#malformed = new FaultLog(connection.log, 'dropped a list of images that cannot be read');
    connection.client.defineCommand('prolongImages', { numberOfKeys: 2, lua: PROLONG });
    connection.client.defineCommand('postImages', { numberOfKeys: 2, lua: POST });
    connection.client.defineCommand('imageVersions', { numberOfKeys: 1, lua: VERSIONS });
    this.#client = connection.client as BoardClient;
  }

  async post(workerId: string, images: readonly PresentImage[], keptMs: number): Promise<void> {
    const list = JSON.stringify(images.map(({ name, sizeBytes }) => [name, sizeBytes]));
    const version = createHash('sha256').update(list).digest('base64url').slice(0, 22);
    const key = this.#key(workerId);
    const kept = Math.ceil(keptMs);
    await this.#connection.run('tell the images', async () => {
      const isThere = await this.#client.prolongImages(key, this.#index, workerId, version, kept);
      if (isThere === 0) await this.#client.postImages(key, this.#index, workerId, version, kept, list);
    });
  }

  async all(known: readonly WorkerImages[] = []): Promise<readonly WorkerImages[]> {
    const present = await this.#connection.run('look for changed images', () =>
      this.#client.imageVersions(this.#index, this.#key('')),
    );
    const lists = new Map(known.map(({ version, images }) => [version, images]));
    // Machines are often alike: one worker stands for all that have the same list.
    const wanted = new Map(
      present.filter(([, version]) => !lists.has(version)).map(([id, version]) => [version, id]),
    );
    for (const batch of batches([...wanted.values()], PER_ROUND)) {
      for (const [version, images] of await this.#read(batch)) lists.set(version, images);
    }
    return present.flatMap(([workerId, version]) => {
      const images = lists.get(version);
      return images ? [{ workerId, version, images }] : [];
    });
  }

  async #read(workerIds: readonly string[]): Promise<Map<string, readonly PresentImage[]>> {
    const answers = await this.#connection.run('read the images', async (client) => {
      const round = client.pipeline();
      for (const id of workerIds) round.hmget(this.#key(id), 'version', 'list');
      return ((await round.exec()) ?? []).map(([error, fields]) => {
        if (error) throw error;
        return fields as [version: string | null, list: string | null];
      });
    });
    const found = new Map<string, readonly PresentImage[]>();
    for (const [version, list] of answers) {
      const images = version !== null && list !== null ? this.#parse(list) : null;
      if (version !== null && images) found.set(version, images);
    }
    return found;
  }

  #parse(list: string): PresentImage[] | null {
    try {
      const entries = JSON.parse(list) as [name: string, sizeBytes: number | null][];
      return entries.map(([name, sizeBytes]) => ({ name, sizeBytes }));
    } catch (error) {
      this.#malformed.report(error);
      return null;
    }
  }

  #key(workerId: string): string {
    return `${this.#index}:${workerId}`;
  }
}
