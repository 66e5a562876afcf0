// What each command prints with `--json` and with `--quiet`, for the reference. Data only: cli/answers.test.ts runs
// every command and compares. A command that is added needs a line here and its words in that test.

export interface Answer {
  /**
   * The document of `--json`: a type of shared/contracts (`TaskBody`) or its fields (`{queue, more}`; with `…` at the
   * end there are others beside them).
   * null: the command prints no document.
   */
  readonly json: string | null;
  /** One JSON object per line instead of one document. */
  readonly lines?: true;
  /** What a line of `--quiet` is; null when it prints nothing then. */
  readonly quiet: string | null;
  /** What it prints whatever is asked for, where that is neither JSON nor ids. */
  readonly always?: string;
  /** What else there is to know. */
  readonly note?: string;
}

export const ANSWERS: Readonly<Record<string, Answer>> = {
  task: {
    json: 'TaskBody',
    quiet: 'task id',
    note: 'With `--wait` the record is printed when the task has ended.',
  },
  dispatch: { json: 'TaskBody', quiet: 'task id', note: 'As `task`.' },
  retry: { json: 'TaskBody', quiet: 'id of the new task' },
  'list-tasks': { json: 'TaskListReply', quiet: 'task id' },
  get: { json: 'TaskBody', quiet: 'task id' },
  explain: { json: 'ExplainReply', quiet: 'task id' },
  cancel: {
    json: 'TaskBody',
    quiet: 'task id',
    note: 'Of several, of standard input or by filter: `{requested, cancelled, stopping, ended, failed}`, where `failed` are `{task_id, code, message}`; `--quiet` prints the ids of those that stop.',
  },
  queue: { json: 'QueueReply', quiet: 'task id' },
  logs: {
    json: 'LogLineBody',
    lines: true,
    quiet: 'line of output, as without it',
  },
  wait: {
    json: 'TaskBody',
    quiet: null,
    note: 'Of several, of standard input, by tag, or with `--fail-fast` or `--timeout`: `{total, completed, failed, cancelled, left, timed_out, not_completed}`, where each of `not_completed` has `task_id`, `name`, `status`, `reason`, `message` and `exit_code`; `--quiet` then prints the ids of these.',
  },
  monitor: {
    json: '{event, task_id, …}',
    lines: true,
    quiet: 'line of output, as without it',
    note: 'The events stand under [Live views](#live-views).',
  },
  files: { json: 'FileListReply', quiet: 'path' },
  'task-files': { json: 'TaskFileListReply', quiet: 'path' },
  download: {
    json: '{task_id, attempt, folder, files}',
    quiet: 'path on this machine',
    note: 'Each file is a `FileBody` with `local_path` and `status` (`downloaded`, `present`, or `failed` with `error`). With `--archive` it is `{task_id, archive, format, size_bytes}`; with `--archive -` the archive alone.',
  },
  'get-file': {
    json: '{…}',
    quiet: 'path on this machine',
    note: 'A `FileBody` with `local_path` and `status` (`downloaded` or `present`); with `-` the bytes alone.',
  },
  upload: {
    json: '{files, failed}',
    quiet: 'path',
    note: '`files` are `FileBody` with `status` (`uploaded`, or `present` when they were there), `failed` are `{path, error}`.',
  },
  uploads: { json: '{uploads}', quiet: 'upload id', note: 'Each of `uploads` is an `UploadBody`.' },
  'delete-upload': { json: '{deleted}', quiet: 'upload id' },
  'delete-file': { json: '{deleted}', quiet: 'path' },
  status: { json: 'TelemetryReply', quiet: null, note: 'One picture, also on a terminal.' },
  workers: { json: 'WorkerListReply', quiet: 'worker id', note: 'Of one worker: its `WorkerBody`.' },
  cordon: { json: 'WorkerBody', quiet: 'worker id' },
  uncordon: { json: 'WorkerBody', quiet: 'worker id' },
  drain: { json: 'WorkerBody', quiet: 'worker id' },
  'remove-worker': { json: '{worker_id, removed}', quiet: null },
  register: {
    json: 'WorkerBody',
    quiet: 'worker id',
    note: 'A worker that has not joined has a `message`; with `--wait` that ends with 1.',
  },
  history: { json: 'HistoryReply', quiet: 'time and value' },
  replay: {
    json: '{passes, different, …}',
    quiet: null,
    note: 'With `--show` also `task_id` and `moments`. `first_difference` is null when all were decided alike; with `--quiet` its term and pass are printed.',
  },
  completion: { json: null, quiet: null, always: 'the script' },
  submit: {
    json: '{tasks, …}',
    quiet: 'task id',
    note: 'Each of `tasks` is a `TaskBody`; with `--wait` there is `wait` beside them, see `wait`.',
  },
  simulate: {
    json: 'WhatIfReply',
    quiet: 'id of a worker that would get some',
    note: 'With `--trace` or `--generate`: `{source, tasks, workers, policies, …}`, where `policies` has the figures of each ([simulation](SIMULATION.md)); `--quiet` prints nothing then.',
  },
  login: { json: '{url, user, expires_at}', quiet: null, note: 'The token stays in the profile.' },
  'register-user': { json: 'UserBody', quiet: 'user id' },
  passwd: { json: '{url, user, expires_at}', quiet: null, note: 'The fresh token stays in the profile.' },
  users: { json: 'UserListReply', quiet: 'username' },
  user: { json: 'AccountBody', quiet: 'username' },
  'add-user': { json: 'AccountBody', quiet: 'username' },
  'set-user': { json: 'AccountBody', quiet: 'username' },
  'sign-out': { json: '{username, signed_out, api_tokens}', quiet: 'username' },
  audit: {
    json: 'AuditListReply',
    quiet: 'audit id',
    note: 'With `--follow` one `AuditEntryBody` per line, oldest first.',
  },
  logout: { json: '{url, signed_out}', quiet: null },
  backup: {
    json: '{file, size_bytes, sha256}',
    quiet: 'path on this machine',
    note: 'With `-` the archive alone.',
  },
  restore: {
    json: 'RestoreReply',
    quiet: 'path of the safety copy on the machine of the API',
    note: 'With `--json` it needs `--yes` or `--dry-run`; a dry run has no safety copy.',
  },
  'tokens create': { json: 'NewTokenReply', quiet: 'the token' },
  'tokens list': { json: '{tokens}', quiet: 'token id', note: 'Each of `tokens` is a `TokenBody`.' },
  'tokens delete': { json: '{token_id, deleted}', quiet: null },
  'webhooks create': { json: 'WebhookBody', quiet: 'webhook id' },
  'webhooks list': { json: 'WebhookListReply', quiet: 'webhook id' },
  'webhooks delete': { json: '{webhook_id, deleted}', quiet: null },
  'webhooks secret': { json: 'SigningSecretReply', quiet: 'the secret' },
  'webhooks deliveries': { json: 'DeliveryListReply', quiet: 'delivery id' },
  'webhooks redeliver': { json: 'DeliveryBody', quiet: 'delivery id' },
};
