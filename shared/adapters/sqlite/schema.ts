// The tables, as steps forward. A released step is never changed; a new need is a new step.

export const MIGRATIONS: readonly string[] = [
  `
  CREATE TABLE tasks (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL,
    owner_name TEXT NOT NULL,
    state TEXT NOT NULL,
    revision INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    failures INTEGER NOT NULL,
    losses INTEGER NOT NULL,
    worker_id TEXT,
    reason TEXT,
    exit_code INTEGER,
    message TEXT,
    cancel TEXT,
    not_before INTEGER NOT NULL,
    attempts TEXT NOT NULL,
    idempotency_key TEXT,
    request_hash TEXT,
    submitted_at INTEGER NOT NULL,
    queued_at INTEGER NOT NULL,
    assigned_at INTEGER,
    started_at INTEGER,
    finished_at INTEGER,
    cpu_millis INTEGER NOT NULL,
    memory_mb INTEGER NOT NULL,
    gpus INTEGER NOT NULL,
    storage_mb INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    tag TEXT NOT NULL,
    wanted_worker TEXT,
    search_text TEXT NOT NULL,
    spec TEXT NOT NULL
  ) WITHOUT ROWID;
  CREATE INDEX tasks_by_owner ON tasks (owner_id, id DESC);
  CREATE INDEX tasks_by_owner_state ON tasks (owner_id, state, id DESC);
  CREATE INDEX tasks_by_state ON tasks (state, id DESC);
  CREATE INDEX tasks_by_tag ON tasks (tag, id DESC) WHERE tag <> '';
  CREATE INDEX tasks_by_worker ON tasks (worker_id, id DESC) WHERE worker_id IS NOT NULL;
  CREATE INDEX tasks_waiting ON tasks (priority DESC, id) WHERE state = 'queued';
  CREATE INDEX tasks_placed ON tasks (worker_id, state) WHERE state IN ('assigned', 'running');
  CREATE UNIQUE INDEX tasks_idempotency ON tasks (owner_id, idempotency_key) WHERE idempotency_key IS NOT NULL;

  CREATE TABLE workers (
    id TEXT PRIMARY KEY,
    registration TEXT NOT NULL,
    maintenance TEXT NOT NULL,
    liveness TEXT NOT NULL,
    liveness_at INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE users (
    id TEXT PRIMARY KEY,
    username TEXT NOT NULL,
    username_key TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    role TEXT NOT NULL,
    created_at INTEGER NOT NULL
  ) WITHOUT ROWID;

  CREATE TABLE api_tokens (
    id TEXT PRIMARY KEY,
    user_id TEXT NOT NULL,
    name TEXT NOT NULL,
    hash TEXT NOT NULL UNIQUE,
    created_at INTEGER NOT NULL,
    last_used_at INTEGER
  ) WITHOUT ROWID;
  CREATE INDEX api_tokens_by_user ON api_tokens (user_id, created_at, id);

  CREATE TABLE files (
    id TEXT PRIMARY KEY,
    owner_id TEXT NOT NULL,
    task_id TEXT NOT NULL,
    attempt INTEGER,
    path TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    content_type TEXT NOT NULL,
    sha256 TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    UNIQUE (owner_id, task_id, path)
  ) WITHOUT ROWID;

  CREATE TABLE counters (name TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID;
  `,
];
