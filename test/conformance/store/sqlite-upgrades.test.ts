// Databases as every release has left them, brought up to the newest version: what that release read back is read back
// now, with what came later as it is for records that never had it. See write-fixture.ts.

import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import Database from 'libsql';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Connection } from '../../../shared/adapters/sqlite/connection.ts';
import { migrate, NEWEST_VERSION, stepsFrom } from '../../../shared/adapters/sqlite/migrations.ts';
import { openSqliteStore } from '../../../shared/adapters/sqlite/open.ts';
import { upgradeCopyPath } from '../../../shared/adapters/sqlite/upgrade-copy.ts';
import type { Task } from '../../../shared/model/task.ts';
import { readVersion } from '../../../shared/platform/version.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { tempDir } from '../../support/servers.ts';
import { allocationOf, queuedView } from './scheduler-view.ts';

const FIXTURES = join(import.meta.dirname, 'fixture');
const VERSIONS = Array.from({ length: NEWEST_VERSION }, (_, n) => n + 1);
const fixture = (name: string) => readFileSync(join(FIXTURES, name), 'utf8');

let dir: { path: string; remove(): Promise<void> };
let path: string;
beforeEach(async () => {
  dir = await tempDir();
  path = join(dir.path, 'cloudai.db');
});
afterEach(() => dir.remove());

function put(version: number): void {
  const db = new Database(path);
  db.exec('PRAGMA journal_mode = WAL');
  db.exec(`BEGIN; ${fixture(`v${version}.sql`)} COMMIT;`);
  db.close();
}

function versionOf(file: string): number {
  const db = new Database(file);
  const row = db.prepare('SELECT version FROM schema_version').get() as { version: number };
  db.close();
  return row.version;
}

/** What of now must be as it was then. */
type Seen = Record<string, { id: string }[]> & { counts: object };

it('there is a fixture of every version', () => {
  const there = readdirSync(FIXTURES).filter((name) => name.endsWith('.sql'));
  expect(
    there.sort(),
    'run "npx tsx test/conformance/store/write-fixture.ts" once the new version is complete',
  ).toEqual(VERSIONS.map((version) => `v${version}.sql`).sort());
});

describe.each(VERSIONS)('version %i', (version) => {
  let store: Store;
  const seen = JSON.parse(fixture(`v${version}.json`)) as Seen;
  beforeEach(async () => {
    put(version);
    store = await openSqliteStore(path);
  });
  afterEach(() => store.close());

  it('has all its records, and works on', async () => {
    const tasks: Task[] = [];
    for (const then of seen.tasks ?? []) {
      const now = await store.tasks.get(then.id);
      expect(now).toMatchObject(then);
      if (now) tasks.push(now);
    }
    expect(tasks).toHaveLength(8);
    for (const { spec, attempts } of tasks) {
      expect(spec).toMatchObject({ webhook: null, constraints: {}, prefer: {} });
      for (const attempt of attempts) {
        expect(attempt).toMatchObject({ eviction: null, usage: null, progress: null, outputs: null });
      }
    }
    await expectViews(tasks);
    expect(await store.tasks.countByState('user-1')).toEqual(seen.counts);

    const [boss, alice] = await Promise.all(
      ['BOSS', 'alice'].map((name) => store.users.findByUsername(name)),
    );
    expect([boss, alice]).toMatchObject(seen.users ?? []);
    expect(alice).toMatchObject({ disabled: false, signInEpoch: 0, revision: 0 });
    expect(await store.users.listTokens('user-1')).toEqual(seen.tokens);
    expect(await store.users.claimFirstAdmin({ userId: 'user-2', at: Date.now() })).toBe(false);
    if (!boss) throw new Error('there is a boss');
    expect(await store.users.commit({ ...boss, role: 'user', revision: 1 })).toBe('last_admin');
    expect(await store.workers.list()).toMatchObject(seen.workers ?? []);
    expect(await store.workers.get('w1')).toMatchObject({ maintenance: 'draining', drainUntil: null });

    const { files } = await store.files.list({ ownerId: 'user-1' }, { limit: 9 });
    expect(files).toEqual(seen.files ?? []);
    const bytes = files.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    expect(await store.files.total({ ownerId: 'user-1' })).toEqual({ files: files.length, bytes });
    const points = await store.history.read({ series: 'cluster', grain: 'fine', from: 0, to: 2 ** 45 });
    expect(points).toEqual(seen.history ?? []);
    expect(await store.webhooks.list('user-1')).toEqual(seen.webhooks ?? []);
    const deliveries = await store.webhooks.listDeliveries({ ownerId: 'user-1' }, { limit: 9 });
    expect(deliveries).toEqual(seen.deliveries ?? []);
    expect(await store.webhooks.signingSecret('user-1', 'fresh')).toBe(seen.webhooks ? 'whsec_x' : 'fresh');
    expect(await store.registrations.list()).toEqual(seen.registrations ?? []);
    expect(await store.uploads.listOpen('user-1', 9)).toEqual(seen.uploads ?? []);
    expect(await store.audit.list({}, { limit: 9 })).toEqual(seen.audit ?? []);
    expect(await store.generation()).toBe(0);
  });

  it('has the same tables as a new database', async () => {
    const fresh = join(dir.path, 'fresh.db');
    await (await openSqliteStore(fresh)).close();
    const shape = (file: string) => {
      const db = new Database(file);
      const rows = db
        .prepare(
          `SELECT m.type, m.name, group_concat(i.name || ' ' || i.type || ' ' || i."notnull" || ' ' || i.pk) AS columns
           FROM sqlite_master AS m LEFT JOIN pragma_table_info(m.name) AS i
           WHERE m.name NOT LIKE 'sqlite%' GROUP BY m.type, m.name ORDER BY m.type, m.name`,
        )
        .raw()
        .all() as [string, string, string | null][];
      db.close();
      // Columns that came by ALTER TABLE stand in another order.
      return rows.map(([type, name, columns]) => [type, name, (columns ?? '').split(',').sort()]);
    };
    expect(shape(path)).toEqual(shape(fresh));
  });

  it('is kept as it was, once, before it is brought up', async () => {
    const kept = upgradeCopyPath(path, NEWEST_VERSION);
    expect(existsSync(kept)).toBe(version < NEWEST_VERSION);
    if (version < NEWEST_VERSION) expect(versionOf(kept)).toBe(version);
    expect((await readdir(dir.path)).filter((name) => name.includes('.copy-'))).toEqual([]);
  });

  async function expectViews(tasks: readonly Task[]): Promise<void> {
    const inState = (...states: Task['state'][]) => tasks.filter(({ state }) => states.includes(state));
    const byId = <T extends { id: string }>(list: readonly T[]) =>
      list.toSorted((a, b) => (a.id < b.id ? -1 : 1));
    expect(await store.tasks.queued({ limit: 9 })).toStrictEqual(byId(inState('queued')).map(queuedView));
    expect((await store.tasks.inLine({ limit: 9 })).map(({ id }) => id)).toEqual(
      inState('queued')
        .toSorted((a, b) => b.spec.priority - a.spec.priority || (a.id < b.id ? -1 : 1))
        .map(({ id }) => id),
    );
    const placed = (await store.tasks.allocations()).toSorted((a, b) => (a.taskId < b.taskId ? -1 : 1));
    expect(placed).toStrictEqual(
      byId(inState('assigned', 'running')).map((task) =>
        allocationOf(
          task,
          task.spec.resources.gpus > 0 ? (task.attempts.at(-1)?.gpuIds ?? []) : [],
          task.cancel !== null,
        ),
      ),
    );
    const ended = inState('completed', 'failed', 'cancelled');
    const found = await store.tasks.ended({ since: 0, limit: 9 });
    expect(byId(found)).toStrictEqual(byId(ended));
    expect(await store.tasks.ended({ since: 0, limit: 9, withWebhook: true })).toHaveLength(
      seen.webhooks ? ended.length : 0,
    );
    const short = (await store.tasks.summaries({ text: 'PYTHON' }, { limit: 9 })).tasks;
    expect(byId(short).map(({ name, image }) => [name, image])).toEqual(
      byId(tasks).map(({ spec }) => [spec.name, spec.image]),
    );
    const again = { ...(tasks[0] as Task), id: 'task-other' };
    expect((await store.tasks.insert([again])).kind).toBe('duplicate');
  }
});

describe('an upgrade', () => {
  it('that fails in its middle leaves the database as it was, and the next one is whole', async () => {
    put(1);
    const db = new Connection(path);
    const [first = '', second = ''] = stepsFrom(1);
    await expect(
      db.write(() => {
        db.exec(first);
        db.exec(second);
        db.exec('CREATE TABLE tasks (n)');
      }),
    ).rejects.toThrow(/tasks/);
    expect(versionOf(path)).toBe(1);
    const tables = () => db.all("SELECT name FROM sqlite_master WHERE name = 'webhooks'");
    expect(await db.read(tables)).toEqual([]);
    await migrate(db);
    expect(await db.read(tables)).toHaveLength(1);
    await db.close();
    expect(versionOf(path)).toBe(NEWEST_VERSION);
  });

  it('is done once by several that open it at the same moment', async () => {
    put(1);
    const stores = await Promise.all(Array.from({ length: 4 }, () => openSqliteStore(path)));
    for (const store of stores) expect((await store.tasks.summaries({}, { limit: 9 })).tasks).toHaveLength(8);
    await Promise.all(stores.map((store) => store.close()));
    expect(versionOf(path)).toBe(NEWEST_VERSION);
    expect(versionOf(upgradeCopyPath(path, NEWEST_VERSION))).toBe(1);
  });

  it('of a newer release is refused, with the release that is needed where it is known', async () => {
    await (await openSqliteStore(path)).close();
    const db = new Database(path);
    const rows = () => db.prepare('SELECT version, release FROM schema_releases').raw().all();
    expect(rows()).toEqual([[NEWEST_VERSION, readVersion()]]);
    db.exec(`UPDATE schema_version SET version = 99; INSERT INTO schema_releases VALUES (99, '7.8.9')`);
    await expect(openSqliteStore(path)).rejects.toMatchObject({
      code: 'bad_config',
      message: expect.stringContaining('install CloudAI 7.8.9 or newer'),
    });
    db.exec('DELETE FROM schema_releases');
    await expect(openSqliteStore(path)).rejects.toThrow(/newer release/);
    db.close();
    expect(versionOf(path)).toBe(99);
  });

  it('is what a restore does with a backup of an older release, too', async () => {
    put(2);
    const content = readFileSync(path);
    const other = await openSqliteStore(join(dir.path, 'other.db'));
    const { Readable } = await import('node:stream');
    const received = await other.copies!.receive(Readable.from([content]), null);
    expect(received.schemaVersion).toBe(2);
    await received.replace(1);
    await received.discard();
    expect((await other.tasks.summaries({}, { limit: 9 })).tasks).toHaveLength(8);
    await other.close();
  });
});
