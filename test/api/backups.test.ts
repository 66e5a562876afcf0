// Backups over REST: what is sent, what is refused, and a restore that every copy of the API sees at once.

import { createHash } from 'node:crypto';
import { readdir, readFile, writeFile } from 'node:fs/promises';
import { request } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { extract, pack } from 'tar-stream';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { restoreArgument, restoreOffline } from '../../api/services/backups/offline-restore.ts';
import type { ApiParts } from '../../api/services.ts';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import type { BackupManifest, RestoreReply } from '../../shared/contracts/backups.ts';
import type { ClusterEvent } from '../../shared/model/event.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import { tempDir } from '../support/servers.ts';
import { makeTask } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { countTasks, openTestApi, type Person, type TestApi } from './harness.ts';

let api: TestApi;
let admin: Person;
beforeAll(async () => {
  api = await openTestApi();
  admin = await api.signUp('boss');
});
afterAll(() => api.close());

const headersOf = (who: Person) => ({ authorization: `Bearer ${who.token}` });

async function backup(of = api): Promise<{ bytes: Buffer; headers: Record<string, unknown> }> {
  const headers = headersOf(admin);
  const reply = await of.api.server.inject({ method: 'GET', url: '/api/backup', headers });
  expect(reply.statusCode).toBe(200);
  return { bytes: reply.rawPayload, headers: reply.headers };
}

async function restore(
  bytes: Buffer | string,
  { query = '', who = admin, at = api }: { query?: string; who?: Person; at?: TestApi } = {},
): Promise<{ status: number; body: RestoreReply & { message: string; code: string } }> {
  const url = `/api/restore${query}`;
  const reply = await at.api.server.inject({ method: 'POST', url, headers: headersOf(who), payload: bytes });
  return { status: reply.statusCode, body: JSON.parse(reply.payload) };
}

async function unpacked(bytes: Buffer): Promise<Map<string, Buffer>> {
  const archive = extract();
  const reading = pipeline(Readable.from([bytes]), archive);
  const entries = new Map<string, Buffer>();
  for await (const entry of archive) {
    const parts: Buffer[] = [];
    for await (const part of entry) parts.push(part as Buffer);
    entries.set(entry.header.name, Buffer.concat(parts));
  }
  await reading;
  return entries;
}

async function packed(entries: Iterable<readonly [string, Buffer | string]>): Promise<Buffer> {
  const archive = pack();
  for (const [name, content] of entries) archive.entry({ name }, content);
  archive.finalize();
  const parts: Buffer[] = [];
  for await (const part of archive) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

const sha256 = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex');
const leftovers = async () => (await readdir(api.config.dataDir)).filter((name) => name.includes('.copy-'));

const untilNothingIsLeft = () =>
  waitFor(async () => (await leftovers()).length === 0, { what: 'copies to go' });

describe('a backup', () => {
  it('is a tar archive that says what it is, with the checksums of itself and of the database', async () => {
    await api.store.tasks.insert([makeTask({ env: { KEY: 'value' } })]);
    const { bytes, headers } = await backup();
    expect(headers).toMatchObject({
      'content-type': 'application/x-tar',
      'content-length': String(bytes.length),
      'x-checksum-sha256': sha256(bytes),
      'content-disposition': expect.stringMatching(/cloudai-\d{4}-.*\.backup\.tar/),
    });
    const entries = await unpacked(bytes);
    expect([...entries.keys()]).toEqual(['cloudai-backup.json', 'cloudai.db']);
    const manifest = JSON.parse(String(entries.get('cloudai-backup.json'))) as BackupManifest;
    const database = entries.get('cloudai.db') ?? Buffer.alloc(0);
    expect(manifest).toMatchObject({
      format: 'cloudai-backup',
      format_version: 1,
      schema_version: api.store.copies?.schemaVersion,
      release: expect.stringMatching(/^\d+\.\d+\.\d+/),
      database: { file: 'cloudai.db', size_bytes: database.length, sha256: sha256(database) },
    });
    // Keys of the processes are not in it.
    expect(api.config.jwtKeys.some((key) => database.includes(key))).toBe(false);
    await untilNothingIsLeft();
  });

  it('is made one at a time, and a client that leaves leaves nothing behind', async () => {
    const server = await api.copy();
    const url = await server.api.start();
    const headers = headersOf(admin);
    const left = request(`${url}/api/backup`, { headers, agent: false });
    const gone = new Promise<void>((done) => left.on('close', () => done()));
    left.on('error', () => undefined);
    left.end();
    await waitFor(async () => (await leftovers()).length === 1, { what: 'a copy to be made' });
    const second = await server.api.server.inject({ method: 'GET', url: '/api/backup', headers });
    expect(JSON.parse(second.payload)).toMatchObject({
      code: 'conflict',
      message: expect.stringContaining('being made'),
    });
    left.destroy();
    await gone;
    await untilNothingIsLeft();
    const third = await server.api.server.inject({ method: 'GET', url: '/api/backup', headers });
    expect(third.statusCode).toBe(200);
    await server.close();
  });

  it('of records that MongoDB keeps is its own tools to make', async () => {
    const parts = ({ store }: ApiParts) => ({ store: { ...store, copies: null } });
    const other = await openTestApi({ beside: api, parts });
    for (const [method, path] of [
      ['GET', '/api/backup'],
      ['POST', '/api/restore'],
    ] as const) {
      expect(await other.call(method, path, { as: admin })).toMatchObject({
        status: 409,
        body: { code: 'conflict', message: expect.stringContaining('mongodump') },
      });
    }
    await other.close();
  });
});

describe('a restore', () => {
  it('is first tried, then puts everything back, and says what it keeps of before', async () => {
    const { bytes } = await backup();
    const before = await countTasks(api.store);
    await api.join('late');
    await api.store.tasks.insert([makeTask(), makeTask()]);
    const tried = await restore(bytes, { query: '?dry_run=true' });
    expect(tried).toMatchObject({
      status: 200,
      body: {
        dry_run: true,
        tasks_now: before + 2,
        tasks_in_backup: before,
        tasks_lost: 2,
        unfinished_tasks_lost: 2,
        tasks_again: 0,
        users_lost: 1,
        safety_copy: null,
        backup: { release: expect.any(String), created_at: expect.any(String) },
      },
    });
    expect(await countTasks(api.store)).toBe(before + 2);
    const events: ClusterEvent[] = [];
    const end = await api.redis.bus.subscribe((event) => events.push(event));
    const beside = await openTestApi({ beside: api });
    const done = await restore(bytes, { at: beside });
    expect(done).toMatchObject({ status: 200, body: { dry_run: false, tasks_lost: 2 } });
    expect(await countTasks(api.store)).toBe(before);
    expect(await api.call('GET', '/api/users', { as: admin })).toMatchObject({
      body: { users: [{ username: 'boss' }] },
    });
    await waitFor(() => events.some(({ type }) => type === 'restored'), { what: 'the word to go round' });
    await end();
    // The safety copy is a database as it is, and is put back like a backup.
    const { safety_copy: path } = done.body;
    const undone = await restore(await readFile(path ?? ''), { at: beside });
    expect(undone).toMatchObject({ status: 200, body: { backup: { created_at: null, release: null } } });
    expect(await countTasks(api.store)).toBe(before + 2);
    await beside.close();
    await untilNothingIsLeft();
  });

  it('by an admin whom the backup does not know is answered, and his sign-in is of no use afterwards', async () => {
    const { bytes } = await backup();
    const other = await api.join('other-boss', { role: 'admin' });
    expect(await restore(bytes, { who: other })).toMatchObject({ status: 200 });
    await waitFor(async () => (await api.call('GET', '/api/auth/me', { as: other })).status === 401, {
      what: 'the account to be gone',
    });
  });

  it('refuses what is no whole backup, and changes nothing', async () => {
    const { bytes } = await backup();
    const before = await countTasks(api.store);
    const entries = await unpacked(bytes);
    const manifest = JSON.parse(String(entries.get('cloudai-backup.json'))) as BackupManifest;
    const database = entries.get('cloudai.db') ?? Buffer.alloc(0);
    const changed = Buffer.from(database);
    changed[changed.length - 1] = (changed.at(-1) ?? 0) ^ 1;
    const text = (of: object) => JSON.stringify({ ...manifest, ...of });
    const bad: [Buffer | string, RegExp][] = [
      ['', /cloudai-backup\.json|cloudai\.db/],
      ['no archive at all, but longer than sixteen bytes', /no backup/],
      [bytes.subarray(0, bytes.length / 2), /no backup|checksum/],
      [bytes.subarray(0, 300), /no backup/],
      [await packed([['readme', 'x']]), /does not begin with/],
      [await packed([['cloudai-backup.json', text({})]]), /no cloudai\.db/],
      [
        await packed([
          ['cloudai-backup.json', text({ format_version: 2 })],
          ['cloudai.db', database],
        ]),
        /newer/,
      ],
      [await packed([['cloudai-backup.json', '{']]), /no JSON/],
      [
        await packed([
          ['cloudai-backup.json', text({})],
          ['cloudai.db', changed],
        ]),
        /checksum/,
      ],
      [`SQLite format 3\0${'x'.repeat(5_000)}`, /cannot be read/],
    ];
    for (const [content, words] of bad) {
      const reply = await restore(content);
      expect(reply).toMatchObject({ status: 400, body: { code: 'invalid_request' } });
      expect(reply.body.message).toMatch(words);
    }
    expect(await countTasks(api.store)).toBe(before);
    await untilNothingIsLeft();
    expect(await restore(bytes)).toMatchObject({ status: 200 });
  });

  it('that breaks off is none', async () => {
    const { bytes } = await backup();
    const server = await api.copy();
    const url = await server.api.start();
    const generation = await api.store.generation();
    const headers = { ...headersOf(admin), 'content-length': String(bytes.length) };
    const left = request(`${url}/api/restore`, { method: 'POST', headers, agent: false });
    left.on('error', () => undefined);
    left.write(bytes.subarray(0, 40_000));
    await waitFor(async () => (await leftovers()).length === 1, { what: 'the backup to come in' });
    left.destroy();
    await untilNothingIsLeft();
    expect(await api.store.generation()).toBe(generation);
    await server.close();
  });
});

describe('a restore without an API', () => {
  it('fills a new store', async () => {
    const task = makeTask();
    await api.store.tasks.insert([task]);
    const { bytes } = await backup();
    const { path, remove } = await tempDir();
    await writeFile(`${path}/backup.tar`, bytes);
    const store = await openSqliteStore(`${path}/cloudai.db`);
    const file = restoreArgument(['node', 'main.js', '--restore', `${path}/backup.tar`]);
    await restoreOffline(file ?? '', { store, clock: systemClock, log: silentLog() });
    // It may have run since under any of its first numbers.
    expect(await store.tasks.get(task.id)).toMatchObject({ state: 'queued', attempt: 101 });
    await expect(
      restoreOffline(`${path}/none`, { store, clock: systemClock, log: silentLog() }),
    ).rejects.toThrow(/ENOENT/);
    await store.close();
    await remove();
  });
});
