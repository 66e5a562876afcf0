// The tables and how they came to be, step by step. A step that was released is never edited: add a new one.

import { AppError } from '../../errors.ts';
import { readVersion } from '../../platform/version.ts';
import type { Connection } from './connection.ts';
import { keepUpgradeCopy } from './upgrade-copy.ts';

/** Step n brings a database from version n to n + 1. */
const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE cluster (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  INSERT INTO cluster VALUES ('term', 0);
  CREATE TABLE admin_claim (only INTEGER PRIMARY KEY CHECK (only = 1), user_id TEXT NOT NULL, at INTEGER NOT NULL);

  -- What changes in a task's life, and what lists and the scheduler look at. Free text is JSON.
  CREATE TABLE tasks (
    n               INTEGER PRIMARY KEY,
    id              TEXT NOT NULL UNIQUE,
    owner_id        TEXT NOT NULL,
    owner_name      TEXT NOT NULL,
    state           TEXT NOT NULL,
    revision        INTEGER NOT NULL,
    attempt         INTEGER NOT NULL,
    failures        INTEGER NOT NULL,
    losses          INTEGER NOT NULL,
    worker_id       TEXT,
    priority        INTEGER NOT NULL,
    tag             TEXT NOT NULL,
    wanted_worker   TEXT,
    cpu_millis      INTEGER NOT NULL,
    memory_mb       INTEGER NOT NULL,
    gpus            INTEGER NOT NULL,
    storage_mb      INTEGER NOT NULL,
    not_before      INTEGER NOT NULL,
    submitted_at    INTEGER NOT NULL,
    queued_at       INTEGER NOT NULL,
    assigned_at     INTEGER,
    started_at      INTEGER,
    finished_at     INTEGER,
    reason          TEXT,
    exit_code       INTEGER,
    message         TEXT NOT NULL,
    cancel          TEXT NOT NULL,
    attempts        TEXT NOT NULL,
    idempotency_key TEXT,
    request_hash    TEXT
  );
  -- Each serves lists of the newest: equal on the first columns, in order of id.
  CREATE INDEX tasks_by_owner ON tasks (owner_id, id);
  CREATE INDEX tasks_by_state ON tasks (state, id);
  CREATE INDEX tasks_by_owner_state ON tasks (owner_id, state, id);
  CREATE INDEX tasks_by_owner_tag ON tasks (owner_id, tag, id) WHERE tag <> '';
  CREATE INDEX tasks_by_tag ON tasks (tag, id) WHERE tag <> '';
  CREATE INDEX tasks_by_worker ON tasks (worker_id, id) WHERE worker_id IS NOT NULL;
  CREATE INDEX tasks_by_urgency ON tasks (priority, id) WHERE state = 'queued';
  CREATE INDEX tasks_placed ON tasks
    (worker_id, id, attempt, state, cpu_millis, memory_mb, gpus, storage_mb, assigned_at)
    WHERE state IN ('assigned', 'running');
  CREATE UNIQUE INDEX tasks_by_key ON tasks (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

  -- Written once, apart from what changes, so that a long command is not copied with every step of the task.
  CREATE TABLE task_specs (
    n      INTEGER PRIMARY KEY,
    spec   TEXT NOT NULL,
    search TEXT NOT NULL
  );

  -- Written with every task that comes or changes its state.
  CREATE TABLE task_counts (
    owner_id TEXT NOT NULL,
    state    TEXT NOT NULL,
    count    INTEGER NOT NULL,
    PRIMARY KEY (owner_id, state)
  ) WITHOUT ROWID;

  CREATE TABLE workers (
    id           TEXT PRIMARY KEY,
    registration TEXT NOT NULL,
    maintenance  TEXT NOT NULL,
    liveness     TEXT NOT NULL,
    liveness_at  INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE users (
    id           TEXT PRIMARY KEY,
    username_key TEXT NOT NULL UNIQUE,
    record       TEXT NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE tokens (
    id           TEXT PRIMARY KEY,
    user_id      TEXT NOT NULL,
    hash         TEXT NOT NULL UNIQUE,
    created_at   INTEGER NOT NULL,
    last_used_at INTEGER,
    record       TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX tokens_by_user ON tokens (user_id, created_at, id);

  -- An upload belongs to no task: its task_id is ''.
  CREATE TABLE files (
    id       TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL,
    task_id  TEXT NOT NULL,
    path     TEXT NOT NULL,
    record   TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE UNIQUE INDEX files_by_path ON files (owner_id, task_id, path);
  `,
  `
  -- The attempt is part of a file's place, its size of totals. An upload's attempt is 0.
  CREATE TABLE files_of_attempts (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL,
    task_id    TEXT NOT NULL,
    attempt    INTEGER NOT NULL,
    path       TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    record     TEXT NOT NULL
  ) WITHOUT ROWID;
  INSERT INTO files_of_attempts
    SELECT id, owner_id, task_id, coalesce(json_extract(record, '$.attempt'), 0), path,
      json_extract(record, '$.sizeBytes'), record
    FROM files;
  DROP TABLE files;
  ALTER TABLE files_of_attempts RENAME TO files;
  CREATE UNIQUE INDEX files_by_place ON files (owner_id, task_id, path, attempt);
  CREATE INDEX files_by_path ON files (owner_id, path, task_id, attempt);
  -- Answers totals alone.
  CREATE INDEX files_by_size ON files (owner_id, task_id, attempt, size_bytes);

  CREATE INDEX tasks_by_end ON tasks (finished_at, id) WHERE finished_at IS NOT NULL;

  -- What was measured is JSON.
  CREATE TABLE history (
    series   TEXT NOT NULL,
    grain    TEXT NOT NULL,
    at       INTEGER NOT NULL,
    metrics  TEXT NOT NULL,
    PRIMARY KEY (series, grain, at)
  ) WITHOUT ROWID;
  CREATE INDEX history_by_age ON history (grain, at);

  CREATE TABLE webhooks (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    record     TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX webhooks_by_owner ON webhooks (owner_id, created_at, id);

  CREATE TABLE signing_secrets (owner_id TEXT PRIMARY KEY, secret TEXT NOT NULL) WITHOUT ROWID;

  CREATE TABLE webhook_deliveries (
    n          INTEGER PRIMARY KEY,
    id         TEXT NOT NULL UNIQUE,
    owner_id   TEXT NOT NULL,
    webhook_id TEXT,
    task_id    TEXT NOT NULL,
    state      TEXT NOT NULL,
    next_at    INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    record     TEXT NOT NULL
  );
  CREATE INDEX deliveries_due ON webhook_deliveries (next_at, id) WHERE state = 'pending';
  CREATE INDEX deliveries_done ON webhook_deliveries (created_at) WHERE state <> 'pending';
  CREATE INDEX deliveries_by_owner ON webhook_deliveries (owner_id, created_at, id);
  CREATE INDEX deliveries_by_task ON webhook_deliveries (task_id, created_at, id);
  CREATE INDEX deliveries_by_webhook ON webhook_deliveries (webhook_id, created_at, id) WHERE webhook_id IS NOT NULL;
  `,
  `
  -- Which ended tasks somebody is to be told of is read from the index alone.
  ALTER TABLE tasks ADD COLUMN has_webhook INTEGER NOT NULL DEFAULT 0;
  DROP INDEX tasks_by_end;
  CREATE INDEX tasks_by_end ON tasks (finished_at, id, owner_id, has_webhook) WHERE finished_at IS NOT NULL;
  CREATE INDEX tasks_told_by_end ON tasks (finished_at, id) WHERE has_webhook = 1 AND finished_at IS NOT NULL;
  `,
  `
  -- Workers that an admin has registered and that have not joined yet.
  CREATE TABLE registrations (
    id       TEXT PRIMARY KEY,
    wish     TEXT NOT NULL,
    revision INTEGER NOT NULL,
    next_at  INTEGER NOT NULL,
    record   TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX registrations_due ON registrations (next_at, id);
  `,
  `
  -- Files on their way in, sent in several goes.
  CREATE TABLE uploads (
    id         TEXT PRIMARY KEY,
    owner_id   TEXT NOT NULL,
    open       INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    expires_at INTEGER NOT NULL,
    revision   INTEGER NOT NULL,
    record     TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX uploads_open ON uploads (owner_id, created_at, id) WHERE open = 1;
  CREATE INDEX uploads_by_expiry ON uploads (expires_at, id);
  `,
  `
  -- Long lists read no specs. The name, being free text, is JSON.
  ALTER TABLE tasks ADD COLUMN name TEXT NOT NULL DEFAULT '""';
  ALTER TABLE tasks ADD COLUMN image TEXT NOT NULL DEFAULT '';
  UPDATE tasks SET (name, image) =
    (SELECT spec -> '$.name', spec ->> '$.image' FROM task_specs AS s WHERE s.n = tasks.n);
  `,
  `
  -- Accounts that change. Who may act as admin is counted before the right is taken from one.
  ALTER TABLE users ADD COLUMN revision INTEGER NOT NULL DEFAULT 0;
  ALTER TABLE users ADD COLUMN active_admin INTEGER NOT NULL DEFAULT 0;
  UPDATE users SET active_admin = 1 WHERE json_extract(record, '$.role') = 'admin';
  CREATE INDEX users_active_admins ON users (id) WHERE active_admin = 1;
  `,
  `
  -- Whose a waiting task is is read from the index alone: one user's are found among many.
  DROP INDEX tasks_by_urgency;
  CREATE INDEX tasks_by_urgency ON tasks (priority, id, owner_id) WHERE state = 'queued';
  `,
  `
  -- What a scheduler needs of waiting and of placed tasks stands beside their specs and attempts; k_value, which may
  -- have more digits than SQLite writes, as JSON. Tasks of older
  -- releases demand nothing of labels, and none of them was told to leave but to be cancelled.
  ALTER TABLE tasks ADD COLUMN labels TEXT NOT NULL DEFAULT '';
  ALTER TABLE tasks ADD COLUMN k_value TEXT NOT NULL DEFAULT '0';
  ALTER TABLE tasks ADD COLUMN gpu_ids TEXT NOT NULL DEFAULT '';
  ALTER TABLE tasks ADD COLUMN is_leaving INTEGER NOT NULL DEFAULT 0;
  UPDATE tasks SET k_value = (SELECT spec -> '$.kValue' FROM task_specs AS s WHERE s.n = tasks.n);
  DROP INDEX tasks_placed;
  UPDATE tasks SET
    is_leaving = cancel <> 'null',
    gpu_ids = CASE gpus WHEN 0 THEN '' ELSE coalesce(
      (SELECT a.value -> '$.gpuIds' FROM json_each(attempts) AS a WHERE a.value ->> '$.number' = attempt), '') END
    WHERE state IN ('assigned', 'running');
  -- Answers alone what placed tasks hold.
  CREATE INDEX tasks_placed ON tasks
    (worker_id, id, attempt, state, cpu_millis, memory_mb, gpus, storage_mb, assigned_at, owner_id, priority, gpu_ids,
     is_leaving)
    WHERE state IN ('assigned', 'running');

  ALTER TABLE workers ADD COLUMN drain_until INTEGER;

  -- Of accounts that limit what their tasks may hold at a time; no older release knew such limits.
  ALTER TABLE users ADD COLUMN resource_quota TEXT;
  CREATE INDEX users_limited ON users (id, resource_quota) WHERE resource_quota IS NOT NULL;
  `,
  `
  -- How long a task may wait. Those of older releases may wait for ever.
  ALTER TABLE tasks ADD COLUMN queue_timeout INTEGER NOT NULL DEFAULT 0;
  `,
  `
  -- Who did what. Ids are in order of time; each index is in the order of the list that it serves.
  CREATE TABLE audit (
    id       TEXT PRIMARY KEY,
    actor_id TEXT,
    action   TEXT NOT NULL,
    target   TEXT,
    record   TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX audit_by_action ON audit (action, id);
  CREATE INDEX audit_by_actor ON audit (actor_id, action, id) WHERE actor_id IS NOT NULL;
  CREATE INDEX audit_by_target ON audit (target, id) WHERE target IS NOT NULL;
  `,
];

export const NEWEST_VERSION = MIGRATIONS.length;

/** What brings a database of `version` up to the newest, in order. */
export function stepsFrom(version: number): readonly string[] {
  return MIGRATIONS.slice(version);
}

/** Which release brought the database to a version first. */
export interface SchemaRelease {
  readonly version: number;
  readonly release: string;
}

export const SELECT_RELEASES = 'SELECT version, release FROM schema_releases ORDER BY version';

/** What to do about a database of a version beyond the newest that is known here. */
export function newerWords(version: number, releases: readonly SchemaRelease[]): string {
  const release = releases.find((one) => one.version === version)?.release;
  return (
    `a newer release wrote it: its records are of version ${version}, and CloudAI ${readVersion()} knows ` +
    `${NEWEST_VERSION}; install CloudAI ${release === undefined ? 'of a newer release' : `${release} or newer`}`
  );
}

/**
 * Brings the database up to `version`, all steps or none. Several processes may do this at the same moment: one does, and
 * the others find it done. Throws `bad_config` for a database of a newer release.
 */
export async function migrate(connection: Connection, version = NEWEST_VERSION): Promise<void> {
  await connection.read(() => {
    // Cannot be part of a transaction; WAL stays with the file, the rest is per connection.
    connection.exec('PRAGMA journal_mode = WAL');
    connection.exec('PRAGMA synchronous = NORMAL');
    connection.exec('PRAGMA temp_store = MEMORY');
    // 32 MB of pages per process, and a log file that shrinks again after a burst.
    connection.exec('PRAGMA cache_size = -32000');
    connection.exec('PRAGMA journal_size_limit = 67108864');
  });
  const before = await connection.read(() => versionOf(connection));
  if (before !== null && before < version) await keepUpgradeCopy(connection.path, version);
  await connection.write(() => {
    connection.exec('CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL)');
    connection.exec(
      'CREATE TABLE IF NOT EXISTS schema_releases (version INTEGER PRIMARY KEY, release TEXT NOT NULL)',
    );
    const found = versionOf(connection);
    const from = found ?? 0;
    if (from > NEWEST_VERSION) {
      const words = newerWords(from, connection.all<SchemaRelease>(SELECT_RELEASES));
      throw new AppError(
        'bad_config',
        `the database ${connection.path} cannot be used: ${words}, or name another database`,
      );
    }
    for (const step of MIGRATIONS.slice(from, version)) connection.exec(step);
    if (found === null) {
      connection.run('INSERT INTO schema_version VALUES (?)', [version]);
    } else if (from < version) {
      connection.run('UPDATE schema_version SET version = ?', [version]);
    }
    connection.run('INSERT OR IGNORE INTO schema_releases VALUES (?, ?)', [
      Math.max(from, version),
      readVersion(),
    ]);
  });
}

/** Null for a database without contents. */
function versionOf(connection: Connection): number | null {
  const has = connection.first(
    `SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'schema_version'`,
  );
  if (!has) return null;
  return connection.first<{ version: number }>('SELECT version FROM schema_version')?.version ?? null;
}
