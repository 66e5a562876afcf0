// Every command, walked from the tree itself: what it prints with --json and --quiet is what the reference says, and
// its faults are JSON with the right exit code. A command that is not in ANSWERS and not in TRIALS fails here.

import { readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditEntryBody } from '../shared/contracts/audit.ts';
import type { RestoreReply } from '../shared/contracts/backups.ts';
import { type CliStage, openCliStage, type World } from '../test/support/cli-stage.ts';
import { fileBodyOf, playFiles } from '../test/support/played-files.ts';
import {
  makeEndedBody,
  makeExplainReply,
  makeQueueEntry,
  makeTaskBody,
  makeWorkerBody,
  NO_LIMITS,
  NO_SCORES,
  refusal,
  type SmallApi,
  Status,
  startSmallApi,
  TASK_ID,
} from '../test/support/small-api.ts';
import { EXIT, type ExitCode } from './exit.ts';
import { ANSWERS, type Answer } from './package/answers.ts';
import { commandPages } from './package/command-pages.ts';
import { describeProgram } from './program.ts';

interface Trial {
  /** Words after the command's own. */
  readonly words?: readonly string[];
  /** What --quiet prints, line by line. */
  readonly quiet: readonly string[];
  /** Standard input. */
  readonly input?: string;
  /** Exit code when there is no API; by default that of no connection. */
  readonly offline?: ExitCode;
  /** The same when the API knows no such token. */
  readonly refused?: ExitCode;
}

const LINE = { seq: 1, ts: '2026-01-01T10:00:03.000Z', stream: 'stdout', line: 'hello', attempt: 1 };
const USER = { user_id: 'user-1', username: 'alice', role: 'user', created_at: '2026-01-01T10:00:00.000Z' };
const ACCOUNT = {
  ...USER,
  disabled: false,
  quota: NO_LIMITS,
  used: { unfinished_tasks: 0, upload_storage: 0, cpu: 0, memory: 0, gpu: 0 },
};
const TOKEN = { token_id: 'token-1', name: 'ci', created_at: USER.created_at, last_used_at: null };
const WEBHOOK = {
  webhook_id: 'webhook-1',
  url: 'https://a.example',
  events: ['failed'],
  created_at: USER.created_at,
};
const DELIVERY = {
  delivery_id: 'delivery-1',
  webhook_id: 'webhook-1',
  task_id: TASK_ID,
  event: 'failed',
  url: WEBHOOK.url,
  state: 'pending',
  tries: [],
  next_try_at: null,
  created_at: USER.created_at,
};
const UPLOAD = {
  upload_id: `upload-${'0a'.repeat(10)}`,
  path: 'big.bin',
  size_bytes: 9,
  offset: 4,
  content_type: 'text/plain',
  sha256: null,
  state: 'waiting',
  created_at: USER.created_at,
  expires_at: '2026-01-02T10:00:00.000Z',
};
const RESTORED: RestoreReply = {
  dry_run: false,
  backup: { created_at: USER.created_at, release: '0.1.0', schema_version: 9 },
  tasks_now: 4,
  tasks_in_backup: 2,
  tasks_lost: 3,
  unfinished_tasks_lost: 1,
  tasks_again: 0,
  users_lost: 0,
  safety_copy: '/data/cloudai.db.before-restore',
};
const SIGN_IN = { words: ['--username', 'alice', '--password-stdin'], input: 'secure123\n' };

const here = await mkdtemp(join(tmpdir(), 'cloudai-answers-'));
const at = (name: string) => join(here, name);

const AUDIT_ENTRY: AuditEntryBody = {
  audit_id: 'audit-1',
  at: '2026-01-01T10:00:00.000Z',
  actor: { user_id: 'user-1', username: 'alice', token: null },
  address: '10.0.0.7',
  request_id: 'req-1',
  action: 'user.change',
  target: 'bob',
  outcome: 'done',
  code: null,
  details: { role: 'admin' },
};

const TRIALS: Readonly<Record<string, Trial>> = {
  task: { words: ['python:3.9', '-name', 'my-task', '--', 'true'], quiet: [TASK_ID] },
  dispatch: { words: ['worker-1', 'python:3.9', '--wait'], quiet: [TASK_ID] },
  retry: { words: [TASK_ID], quiet: [TASK_ID] },
  'list-tasks': { words: ['queued'], quiet: [TASK_ID] },
  get: { words: [TASK_ID], quiet: [TASK_ID] },
  explain: { words: [TASK_ID], quiet: [TASK_ID] },
  cancel: { words: [TASK_ID], quiet: [TASK_ID] },
  queue: { quiet: [TASK_ID] },
  logs: { words: [TASK_ID, '-f'], quiet: ['hello'] },
  wait: { words: [TASK_ID], quiet: [] },
  monitor: { words: [TASK_ID], quiet: ['hello'] },
  files: { words: ['alice'], quiet: ['data.csv'] },
  'task-files': { words: [TASK_ID], quiet: ['a.txt'] },
  download: { words: [TASK_ID, 'alice', at('out')], quiet: [at('out/a.txt')] },
  'get-file': { words: ['in/back.csv', at('back.csv')], quiet: [at('back.csv')] },
  upload: { words: [at('data.csv')], quiet: ['data.csv'] },
  uploads: { quiet: [UPLOAD.upload_id] },
  'delete-upload': { words: [UPLOAD.upload_id], quiet: [UPLOAD.upload_id] },
  'delete-file': { words: ['data.csv'], quiet: ['data.csv'] },
  status: { quiet: [] },
  workers: { quiet: ['worker-1'] },
  cordon: { words: ['worker-1'], quiet: ['worker-1'] },
  uncordon: { words: ['worker-1'], quiet: ['worker-1'] },
  drain: { words: ['worker-1'], quiet: ['worker-1'] },
  'remove-worker': { words: ['worker-1'], quiet: [] },
  register: { words: ['worker-1', '10.0.0.1:50052'], quiet: ['worker-1'] },
  replay: { quiet: [] },
  history: { words: ['running'], quiet: ['2026-01-01T09:00:00.000Z 2'] },
  submit: { words: ['-f', at('tasks.json')], quiet: [TASK_ID] },
  simulate: { words: ['python:3.9'], quiet: ['worker-1'] },
  login: { ...SIGN_IN, quiet: [] },
  'register-user': { ...SIGN_IN, quiet: ['user-1'] },
  passwd: { words: ['--password-stdin'], input: 'secure123\nsecure456\n', quiet: [] },
  users: { quiet: ['alice'] },
  user: { words: ['alice'], quiet: ['alice'] },
  'add-user': { words: ['alice', '--password-stdin'], input: 'secure123\n', quiet: ['alice'] },
  'set-user': { words: ['alice', '--disable'], quiet: ['alice'] },
  'sign-out': { words: ['alice'], quiet: ['alice'] },
  audit: { words: ['--action', 'user'], quiet: ['audit-1'] },
  backup: { words: [at('backup.tar')], quiet: [at('backup.tar')] },
  restore: { words: [at('old.tar'), '--yes'], quiet: ['/data/cloudai.db.before-restore'] },
  // It asks no API.
  completion: { words: ['bash'], quiet: [], offline: EXIT.ok, refused: EXIT.ok },
  // It only forgets.
  logout: { quiet: [], offline: EXIT.ok, refused: EXIT.ok },
  'tokens create': { words: ['ci'], quiet: ['cai_x'] },
  'tokens list': { quiet: ['token-1'] },
  'tokens delete': { words: ['token-1'], quiet: [] },
  'webhooks create': { words: [WEBHOOK.url], quiet: ['webhook-1'] },
  'webhooks list': { quiet: ['webhook-1'] },
  'webhooks delete': { words: ['webhook-1'], quiet: [] },
  'webhooks secret': { quiet: ['whsec_x'] },
  'webhooks deliveries': { quiet: ['delivery-1'] },
  'webhooks redeliver': { words: ['delivery-1'], quiet: ['delivery-1'] },
};

function answerAll(api: SmallApi): void {
  const queued = makeTaskBody();
  const worker = makeWorkerBody();
  const amounts = { cpu: 8, memory: 16_384, gpu: 0, storage: 100_000 };
  const task = `/api/tasks/${TASK_ID}`;
  // Of a task the small API plays its files, and that it has ended.
  playFiles(api, { 'a.txt': 'a' });
  api.on('POST /api/tasks', () => new Status(201, queued));
  api.on('GET /api/tasks', () => ({ tasks: [queued], next_cursor: null }));
  api.on(`POST ${task}/retry`, () => new Status(201, queued));
  api.on(`POST ${task}/cancel`, () => new Status(202, makeEndedBody({ status: 'cancelled' })));
  api.on(`GET ${task}/explain`, () => makeExplainReply());
  api.on('GET /api/queue', () => ({
    total: 1,
    entries: [makeQueueEntry()],
    forecasts: NO_SCORES,
    next_cursor: null,
  }));
  api.on(`GET ${task}/logs`, (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.end(`${JSON.stringify(LINE)}\n`);
  });
  const upload = fileBodyOf('data.csv', 'x', { task_id: null, attempt: null });
  api.on('GET /api/files', () => ({ files: [upload], total: { files: 1, bytes: 1 }, next_cursor: null }));
  api.on('PUT /api/files/.+', () => new Status(201, upload));
  api.on('(GET|HEAD) /api/files/in/back.csv', (_asked, reply) => {
    const etag = `"${fileBodyOf('', 'x').sha256}"`;
    reply.writeHead(200, { etag, 'content-length': 1, 'last-modified': 'Thu, 01 Jan 2026 10:00:00 GMT' });
    reply.end('x');
  });
  api.on('GET /api/uploads', () => ({ uploads: [UPLOAD] }));
  api.on('DELETE /api/.+', () => new Status(204, null));
  api.on('GET /workers', () => ({ workers: [worker] }));
  api.on('POST /api/workers', () => new Status(201, worker));
  api.on('POST /api/workers/:id/(un)?(cordon|drain)', () => worker);
  api.on('GET /telemetry', () => ({
    at: '2026-01-01T10:00:00.000Z',
    workers_by_state: { ready: 1, cordoned: 0, draining: 0, unhealthy: 0, down: 0, unreachable: 0 },
    totals: { capacity: amounts, reserved: amounts, free: amounts, usage: { workers: 0 } },
    tasks_by_state: { queued: 1, assigned: 0, running: 0, completed: 0, failed: 0, cancelled: 0 },
    queue_depth: 1,
    placements_per_second: null,
    retention_days: 0,
    scheduler: null,
    sla: null,
    forecasts: NO_SCORES,
    workers: [worker],
  }));
  api.on('GET /telemetry/history', () => ({
    metrics: [{ metric: 'running', unit: 'tasks', points: [['2026-01-01T09:00:00.000Z', 2]] }],
    step_seconds: 600,
    from: '2026-01-01T09:00:00.000Z',
    to: '2026-01-01T10:00:00.000Z',
    worker: null,
  }));
  api.on('POST /api/tasks/batch', () => new Status(201, { tasks: [queued] }));
  api.on('POST /api/whatif', () => ({
    ...{ placed: 1, waiting: 0, never: 0, behind: 0, more: false },
    tasks: [],
    workers: [{ worker_id: 'worker-1', placed: 1 }],
  }));
  api.on('POST /api/auth/(login|password)', () => ({
    token: 'jwt',
    expires_at: '2026-01-02T10:00:00.000Z',
    user: USER,
  }));
  api.on('GET /api/scheduler/decisions', (_asked, reply) => {
    reply.writeHead(200, { 'content-type': 'application/x-ndjson' });
    reply.end();
  });
  api.on('GET /api/audit', () => ({ entries: [AUDIT_ENTRY], next_cursor: null }));
  api.on('GET /api/users', () => ({ users: [ACCOUNT], next_cursor: null }));
  api.on('POST /api/users', () => new Status(201, ACCOUNT));
  api.on('(GET|PATCH) /api/users/alice', () => ACCOUNT);
  api.on('POST /api/users/alice/logout', () => new Status(204, null));
  api.on('POST /api/auth/logout(-all)?', () => new Status(204, null));
  api.on('POST /api/auth/register', () => new Status(201, USER));
  api.on('POST /api/auth/tokens', () => new Status(201, { ...TOKEN, token: 'cai_x' }));
  api.on('GET /api/auth/tokens', () => ({ tokens: [TOKEN] }));
  api.on('GET /api/backup', (_asked, reply) => {
    const { sha256 } = fileBodyOf('', 'archive');
    reply.writeHead(200, { 'content-length': 7, 'x-checksum-sha256': sha256 });
    reply.end('archive');
  });
  api.on('POST /api/restore', () => RESTORED);
  api.on('POST /api/webhooks', () => new Status(201, WEBHOOK));
  api.on('GET /api/webhooks', () => ({ webhooks: [WEBHOOK] }));
  api.on('GET /api/webhooks/signing-secret', () => ({ signing_secret: 'whsec_x' }));
  api.on('GET /api/webhooks/deliveries', () => ({ deliveries: [DELIVERY], next_cursor: null }));
  api.on('POST /api/webhooks/deliveries/:id/redeliver', () => new Status(202, DELIVERY));
}

const commands = commandPages(describeProgram('1.2.3')).map(({ name }) => name);
const tried = commands.filter((name) => name in TRIALS && name in ANSWERS);
let stage: CliStage;
let closed: string;
let refusing: SmallApi;

beforeAll(async () => {
  stage = await openCliStage();
  answerAll(stage.api);
  await writeFile(at('tasks.json'), JSON.stringify({ tasks: [{ docker_image: 'python:3.9' }] }));
  await writeFile(at('data.csv'), 'x');
  await writeFile(at('old.tar'), 'archive');
  const gone = await startSmallApi();
  closed = gone.url;
  await gone.close();
  refusing = await startSmallApi();
  refusing.on('[A-Z]+ .*', () => refusal(401, 'unauthenticated', 'the token is not known'));
});
afterAll(async () => {
  await stage.close();
  await refusing.close();
  await rm(here, { recursive: true });
});

function run(name: string, more: readonly string[], url = stage.api.url) {
  const { words = [], input } = TRIALS[name] ?? { quiet: [] };
  // Nobody waits here for an API that comes back.
  const env = { CLOUDAI_URL: url, CLOUDAI_RETRY_SECONDS: '0' };
  const world: World = { env, ...(input === undefined ? {} : { input }) };
  // Before the command, so that `--` of its words does not take them.
  return stage.cloudai([...more, ...name.split(' '), ...words], world);
}

it('every command is tried here and its answers are in the reference, and no other', () => {
  expect(commands.length).toBeGreaterThan(30);
  expect(Object.keys(TRIALS).sort()).toEqual([...commands].sort());
  expect(Object.keys(ANSWERS).sort()).toEqual([...commands].sort());
});

describe.each(tried)('%s', (name) => {
  const { quiet = [] } = TRIALS[name] ?? {};
  const answer = ANSWERS[name] as Answer;

  it('prints the JSON the reference tells of, and nothing beside it', async () => {
    const told = await run(name, ['--json']);
    expect(told).toMatchObject({ code: EXIT.ok, err: '' });
    if (answer.always !== undefined) return expect(told).toEqual(await run(name, []));
    if (answer.json === null) return expect(told.out).toBe('');
    const documents = answer.lines ? told.out.trimEnd().split('\n') : [told.out];
    for (const text of documents) expectShape(JSON.parse(text), answer.json);
  });

  it('prints ids only for --quiet', async () => {
    const told = await run(name, ['--quiet']);
    expect(told).toMatchObject({ code: EXIT.ok, err: '' });
    if (answer.always !== undefined) return expect(told).toEqual(await run(name, []));
    expect(told.out).toBe(quiet.map((line) => `${line}\n`).join(''));
    expect(answer.quiet === null).toBe(quiet.length === 0);
  });
});

describe('faults', () => {
  it.concurrent.each(tried)('of %s are JSON, each with its exit code', async (name) => {
    const { offline = EXIT.noConnection, refused = EXIT.notAllowed } = TRIALS[name] ?? {};
    expectFault(await run(name, ['--json'], closed), offline, 'no_connection');
    expectFault(await run(name, ['--json'], refusing.url), refused, 'unauthenticated');
    const wrong = await stage.cloudai(['--json', ...name.split(' '), '--no-such-option']);
    expectFault(wrong, EXIT.usage, 'usage');
  });
});

function expectFault(told: { code: number; out: string; err: string }, code: ExitCode, name: unknown): void {
  expect(told.code).toBe(code);
  if (code === EXIT.ok) return;
  // A document that had begun is whole all the same.
  if (told.out !== '') JSON.parse(told.out);
  expect(JSON.parse(told.err)).toEqual({
    error: {
      code: name,
      message: expect.stringMatching(/./),
      details: expect.any(Array),
      advice: expect.any(String),
    },
  });
}

/** `{a, b}`: these fields; `{a, b, …}`: these and others; `TaskBody`: those that the contract names, optional ones may be absent. */
function expectShape(document: object, shape: string): void {
  const listed = /^\{(.*)\}$/.exec(shape)?.[1]?.split(', ');
  if (listed) {
    const open = listed.at(-1) === '…';
    const named = open ? listed.slice(0, -1) : listed;
    expect(open ? Object.keys(document).filter((key) => named.includes(key)) : Object.keys(document)).toEqual(
      named,
    );
    return;
  }
  const fields = fieldsOf(shape);
  const printed = Object.keys(document);
  expect(printed.filter((name) => !fields.has(name))).toEqual([]);
  expect([...fields].flatMap(([name, needed]) => (needed && !printed.includes(name) ? [name] : []))).toEqual(
    [],
  );
}

const contracts = resolve(import.meta.dirname, '../shared/contracts');
const sources = readdirSync(contracts).map((name) => readFileSync(join(contracts, name), 'utf8'));

/** Name of each field of an interface, and whether it is always there. */
function fieldsOf(type: string): Map<string, boolean> {
  const pattern = new RegExp(`^export interface ${type}(?: extends (\\w+))? \\{\\n([\\s\\S]*?)^\\}`, 'm');
  const [, parent, body] =
    sources.map((source) => pattern.exec(source)).find((found) => found !== null) ?? [];
  if (body === undefined) throw new Error(`shared/contracts has no interface ${type}`);
  const own = [...body.matchAll(/^ {2}(?:readonly )?(\w+)(\??):/gm)];
  return new Map([
    ...(parent === undefined ? [] : fieldsOf(parent)),
    ...own.map(([, name = '', mark]) => [name, mark === ''] as const),
  ]);
}
