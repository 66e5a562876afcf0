import { randomBytes } from 'node:crypto';
import { buffer } from 'node:stream/consumers';
import { GridFSBucket, MongoClient, ObjectId } from 'mongodb';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CHUNK_BYTES } from '../../../shared/adapters/mongo/file-store.ts';
import { openMongo } from '../../../shared/adapters/mongo/open.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { mongoUrl } from '../../support/servers.ts';
import { type FilePlace, fileSuite, NO_LIMIT, streamOf } from './file-suite.ts';

interface MongoPlace extends FilePlace {
  readonly client: MongoClient;
  close(): Promise<void>;
}

async function makePlace(): Promise<MongoPlace> {
  const url = mongoUrl();
  const client = await new MongoClient(url).connect();
  const stores: Store[] = [];
  const close = async () => {
    await Promise.all(stores.map((store) => store.close()));
  };
  return {
    client,
    close,
    open: async () => {
      const { store, files } = await openMongo(url);
      stores.push(store);
      return files;
    },
    leftovers: async () => {
      const counts = ['blobs.files', 'blobs.chunks'].map((name) =>
        client.db().collection(name).countDocuments(),
      );
      return (await Promise.all(counts)).reduce((sum, count) => sum + count, 0);
    },
    remove: async () => {
      await close();
      await client.db().dropDatabase();
      await client.close();
    },
  };
}

fileSuite('files in MongoDB', CHUNK_BYTES, makePlace);

describe('files in GridFS', () => {
  let place: MongoPlace;
  beforeEach(async () => {
    place = await makePlace();
  });
  afterEach(() => place.remove());
  const bucket = () => new GridFSBucket(place.client.db(), { bucketName: 'blobs' });
  const uploads = () => place.client.db().collection<{ _id: ObjectId; at: number }>('uploads');

  it('can be read by whatever knows GridFS', async () => {
    const files = await place.open();
    const bytes = randomBytes(3 * CHUNK_BYTES + 1);
    await files.write('file-1', streamOf(bytes), NO_LIMIT);
    expect((await buffer(bucket().openDownloadStreamByName('file-1'))).equals(bytes)).toBe(true);
    expect(await uploads().countDocuments()).toBe(0);
  });

  it('lose what dead writers left, and nothing of those at work or done', async () => {
    const files = await place.open();
    await files.write('file-1', streamOf(Buffer.from('done')), NO_LIMIT);
    const [done] = await bucket().find().toArray();
    const [dead, working] = [new ObjectId(), new ObjectId()];
    const chunk = (files_id: ObjectId) => ({
      _id: new ObjectId(),
      files_id,
      n: 0,
      data: Buffer.from('part'),
    });
    await place.client.db().collection('blobs.chunks').insertMany([dead, working].map(chunk));
    const long = Date.now() - 25 * 3_600_000;
    await uploads().insertMany([
      { _id: dead, at: long },
      { _id: done!._id, at: long },
      { _id: working, at: Date.now() },
    ]);
    await place.open();
    const chunks = await place.client.db().collection('blobs.chunks').find().toArray();
    expect(chunks.map(({ files_id }) => String(files_id)).sort()).toEqual(
      [done!._id, working].map(String).sort(),
    );
    expect((await uploads().find().toArray()).map(({ _id }) => _id)).toEqual([working]);
    expect((await buffer(await files.read('file-1'))).toString()).toBe('done');
  });

  it('that go away while they are read are never a shorter file', async () => {
    const files = await place.open();
    await files.write('file-1', streamOf(randomBytes(4 * CHUNK_BYTES)), NO_LIMIT);
    const reading = await files.read('file-1');
    await place.client
      .db()
      .collection('blobs.chunks')
      .deleteMany({ n: { $gte: 2 } });
    await expect(buffer(reading)).rejects.toMatchObject({ code: 'store_unavailable', retryable: true });
  });

  it('of a server that is away are an unavailable store', async () => {
    const files = await place.open();
    await place.close();
    const away = { code: 'store_unavailable' };
    const content = streamOf(randomBytes(10));
    await expect(files.write('file-1', content, NO_LIMIT)).rejects.toMatchObject(away);
    expect(content.destroyed).toBe(true);
    await expect(files.read('file-1')).rejects.toMatchObject(away);
    await expect(files.remove(['file-1'])).rejects.toMatchObject(away);
  });
});
