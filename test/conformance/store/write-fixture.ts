// Writes what a release leaves in its embedded store, for the tests of upgrades: a dump of a database that its own code has
// filled, and beside it what that code read back. Run it once for each new version of the tables, with the code of then:
//   npx tsx test/conformance/store/write-fixture.ts [folder of the sources] [folder for the fixture]

import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';

// What is loaded may be of any release, so nothing is known of its types.
// biome-ignore lint/suspicious/noExplicitAny: see above.
type Any = any;

const NOW = 1_700_000_000_000;
const TEXT = 'a"b\'c\\d\n\t_%ä 😀';
const id = (n: number) => `task-01hf7yat00000000000000000${n}`;

const root = resolve(process.argv[2] ?? '.');
const out = resolve(process.argv[3] ?? 'test/conformance/store/fixture');
const load = (path: string): Promise<Any> => import(pathToFileURL(join(root, path)).href);

const { openSqliteStore } = await load('shared/adapters/sqlite/open.ts');
const life = await load('shared/model/task-life.ts');
const { makeSpec, makeRegistration } = await load('test/support/tasks.ts');
const users = await load('shared/model/user.ts');

const folder = await mkdtemp(join(tmpdir(), 'cloudai-fixture-'));
const path = join(folder, 'cloudai.db');
const store: Any = await openSqliteStore(path);
const seen: Record<string, unknown> = {};

await fillTasks();
await fillAccounts();
await fillTheRest();
await store.close();
const { version, sql } = dump();
await writeFile(join(out, `v${version}.sql`), sql);
await writeFile(join(out, `v${version}.json`), `${JSON.stringify(seen, null, 1)}\n`);
await rm(folder, { recursive: true });
process.stdout.write(`v${version}: ${sql.length} bytes\n`);

async function fillTasks(): Promise<void> {
  const odd = {
    command: ['sh', '-c', TEXT],
    name: TEXT,
    tag: 'blue',
    kValue: 0.1 + 0.2,
    env: { KEY: TEXT },
    secrets: ['KEY'],
    priority: 9,
    worker: 'w1',
    files: ['in/a.txt'],
    resources: { cpuMillis: 500, memoryMb: 64, gpus: 1, storageMb: 5 },
  };
  const given = (n: number, spec: object = {}, idempotencyKey: string | null = null) =>
    life.newTask({
      id: id(n),
      ownerId: 'user-1',
      ownerName: 'alice',
      spec: makeSpec({ image: 'python:3', ...spec }),
      idempotencyKey,
      requestHash: idempotencyKey && 'hash',
      now: NOW + n,
    });
  const tasks = [given(1, odd, 'key'), ...[2, 3, 4, 5, 6, 7].map((n) => given(n)), given(8, odd)];
  await store.tasks.insert(tasks);
  const step = async (n: number, next: (task: Any) => Any) => {
    const made = next(await store.tasks.get(id(n)));
    if (!made.ok || !(await store.tasks.commit(made.task))) throw new Error(`no step of task ${n}`);
  };
  const by = { attempt: 1, workerId: 'w1', now: NOW + 100 };
  const gpus = (n: number) => (n === 8 ? ['gpu-0'] : []);
  for (const n of [2, 3, 4, 5, 6, 8]) {
    await step(n, (task) => life.assignTask(task, { ...by, gpuIds: gpus(n), term: 1 }));
  }
  for (const n of [3, 4, 5, 6, 8]) {
    const report = { ...by, containerId: `c${n}`, imageId: 'sha256:00', gpuIds: gpus(n) };
    await step(n, (task) => life.startTask(task, report));
  }
  const end = (outcome: object) => (task: Any) =>
    life.finishTask(task, { ...by, now: NOW + 200, dice: 0, outcome });
  await step(4, end({ kind: 'completed', exitCode: 0, message: null }));
  const failed = { kind: 'failed', reason: 'exit_code', exitCode: 2, message: TEXT };
  await step(5, end(failed));
  await step(6, (task) => life.takeBackTask(task, { ...by, message: 'lost' }));
  await step(3, (task) => life.requestCancel(task, { force: true, requestedBy: 'bob', now: NOW + 150 }));
  await step(7, (task) => life.requestCancel(task, { force: false, requestedBy: 'bob', now: NOW + 150 }));
  seen.tasks = await Promise.all(tasks.map((task) => store.tasks.get(task.id)));
  seen.counts = await store.tasks.countByState('user-1');
}

async function fillAccounts(): Promise<void> {
  const account = (n: number, username: string, role: string) => {
    const of = { id: `user-${n}`, username, passwordHash: `hash-${n}`, role, createdAt: NOW };
    return users.newUser ? users.newUser(of) : of;
  };
  const people = [account(0, 'Boss', 'admin'), account(1, 'alice', 'user')];
  for (const person of people) await store.users.insert(person);
  await store.users.claimFirstAdmin({ userId: 'user-0', at: NOW });
  const token = {
    id: 'token-1',
    userId: 'user-1',
    name: TEXT,
    hash: 'th',
    createdAt: NOW,
    lastUsedAt: null,
  };
  await store.users.insertToken(token);
  await store.users.touchToken('token-1', NOW + 5);
  seen.users = await Promise.all(people.map((person: Any) => store.users.get(person.id)));
  seen.tokens = await store.users.listTokens('user-1');
}

async function fillTheRest(): Promise<void> {
  const registration = makeRegistration({ id: 'w1', labels: { disk: 'ssd' } });
  delete registration.fingerprint.version;
  await store.workers.register({
    ...registration,
    fingerprint: { ...registration.fingerprint, version: '0' },
  });
  await store.workers.setMaintenance('w1', 'draining');
  await store.workers.setLiveness('w1', 'down', NOW);
  seen.workers = await store.workers.list();
  const file = (n: number, over: object) => ({
    id: `file-${n}`,
    ownerId: 'user-1',
    taskId: id(4),
    attempt: 1,
    path: 'out/ä.txt',
    sizeBytes: 2 ** 33,
    contentType: 'text/plain',
    sha256: '00',
    createdAt: NOW,
    ...over,
  });
  if (store.files) {
    const files = [file(1, {}), file(2, { taskId: null, attempt: null, path: 'in/a.txt', sizeBytes: 3 })];
    // The first version took one at a time.
    if (store.history) await store.files.put(files);
    else for (const one of files) await store.files.put(one);
    seen.files = await listFiles();
  }
  if (store.history) {
    const series = 'cluster';
    await store.history.put([{ series, grain: 'fine', at: NOW, values: { running: 2 } }]);
    seen.history = await store.history.read({ series, grain: 'fine', from: 0, to: NOW + 1 });
  }
  if (store.webhooks) {
    const hook = {
      id: 'hook-1',
      ownerId: 'user-1',
      url: 'https://a.test/',
      events: ['failed'],
      createdAt: NOW,
    };
    await store.webhooks.insert(hook);
    await store.webhooks.signingSecret('user-1', 'whsec_x');
    const delivery = { id: 'delivery-1', ownerId: 'user-1', webhookId: 'hook-1', taskId: id(5) };
    const sent = { event: 'failed', url: hook.url, payload: '{}', state: 'pending', tries: [] };
    await store.webhooks.insertDeliveries([
      { ...delivery, ...sent, nextAt: NOW, revision: 1, createdAt: NOW },
    ]);
    seen.webhooks = await store.webhooks.list('user-1');
    seen.deliveries = [await store.webhooks.getDelivery('delivery-1')];
  }
  if (store.registrations) {
    const { newRegistration } = await load('shared/model/registration.ts');
    const wish = { id: 'w9', wish: 'wish-1', address: 'h:1', requestedBy: 'user-0', known: null };
    await store.registrations.put(newRegistration(wish, NOW));
    seen.registrations = await store.registrations.list();
  }
  if (store.audit) {
    const who = { userId: 'user-0', username: 'Boss', token: { id: 'token-1', name: TEXT } };
    const deed = {
      action: 'user.change',
      target: TEXT,
      outcome: 'done',
      code: null,
      details: { role: 'admin' },
    };
    const entry = {
      id: `audit-01hf7yat${'0'.repeat(18)}`,
      at: NOW,
      actor: who,
      address: '::1',
      requestId: 'r',
      ...deed,
    };
    await store.audit.append([entry]);
    seen.audit = await store.audit.list({}, { limit: 9 });
  }
  if (store.uploads) {
    const { newUpload } = await load('shared/model/upload.ts');
    const of = { id: 'upload-1', ownerId: 'user-1', path: 'in/big', fileId: 'file-9', sizeBytes: 9 };
    const said = { contentType: 'text/plain', sha256: null, onlyNew: false, metadata: '' };
    await store.uploads.insert(newUpload({ ...of, ...said }, NOW), 9);
    seen.uploads = await store.uploads.listOpen('user-1', 9);
  }
}

async function listFiles(): Promise<unknown> {
  if (store.history) return (await store.files.list({ ownerId: 'user-1' }, { limit: 9 })).files;
  return store.files.list({ ownerId: 'user-1' });
}

function dump(): { version: number; sql: string } {
  const Database = createRequire(import.meta.url)('libsql');
  const db = new Database(path);
  const all = (sql: string): Any[] => db.prepare(sql).raw().all();
  const lines: string[] = [];
  const parts = all(
    `SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite%' ORDER BY type DESC, name`,
  );
  for (const [type, name, sql] of parts) {
    // In one line, and without the remarks of the steps.
    lines.push(`${sql.replaceAll(/--[^\n]*/g, '').replaceAll(/\s+/g, ' ')};`);
    if (type !== 'table') continue;
    const columns = all(`SELECT name FROM pragma_table_info('${name}')`).map(([column]) => column);
    const values = columns.map((column) => `quote("${column}")`).join(` || ',' || `);
    for (const [row] of all(`SELECT ${values} FROM "${name}"`)) {
      lines.push(`INSERT INTO ${name} (${columns.join(',')}) VALUES (${row});`);
    }
  }
  const [[version]] = all('SELECT version FROM schema_version') as [[number]];
  db.close();
  return { version, sql: `${lines.join('\n')}\n` };
}
