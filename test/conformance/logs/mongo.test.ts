import { MongoClient } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { openMongo } from '../../../shared/adapters/mongo/open.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { mongoUrl } from '../../support/servers.ts';
import { type LogPlace, logSuite, makeLines } from './log-suite.ts';

async function makePlace(): Promise<LogPlace & { url: string }> {
  const url = mongoUrl();
  const stores: Store[] = [];
  return {
    url,
    open: async () => {
      const { store, logs } = await openMongo(url);
      stores.push(store);
      return logs;
    },
    remove: async () => {
      await Promise.all(stores.map((store) => store.close()));
      const client = await new MongoClient(url).connect();
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

logSuite('logs in MongoDB', makePlace);

describe('log chunks in MongoDB', () => {
  it('gather small appends and stay below the size of a document', async () => {
    const place = await makePlace();
    const logs = await place.open();
    for (let seq = 1; seq <= 100; seq += 1) await logs.append('task-1', 1, makeLines(seq, seq));
    const long = makeLines(101, 140, 'x'.repeat(200_000));
    await logs.append('task-1', 1, long);
    const client = await new MongoClient(place.url).connect();
    const chunks = await client.db().collection<{ text: string }>('log_chunks').find().toArray();
    await client.close();
    expect(chunks.length).toBeGreaterThan(3);
    expect(chunks.length).toBeLessThan(15);
    for (const { text } of chunks) expect(text.length).toBeLessThan(2_000_000);
    expect(await logs.read('task-1', 1, 90, 1000)).toStrictEqual([...makeLines(90, 100), ...long]);
    await place.remove();
  });

  it('of a server that is away are an unavailable store', async () => {
    const place = await makePlace();
    const logs = await place.open();
    await place.remove();
    await expect(logs.append('task-1', 1, makeLines(1, 1))).rejects.toMatchObject({
      code: 'store_unavailable',
    });
    await expect(logs.read('task-1', 1, 1, 1)).rejects.toMatchObject({ code: 'store_unavailable' });
  });
});
