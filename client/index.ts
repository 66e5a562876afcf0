// `cloudai-system/client`: what other programs import. A name that stands here stays; all else in this folder may change.
// Must run in Node and in a browser: nothing of Node may be imported here or below.

export type { AuditListReply } from '../shared/contracts/audit.ts';
export type { RestoreReply } from '../shared/contracts/backups.ts';
export type { DecisionEntryBody } from '../shared/contracts/decisions.ts';
export type { ArchiveFormat, FileBody, FileListReply, TaskFileListReply } from '../shared/contracts/files.ts';
export type { HistoryReply } from '../shared/contracts/history.ts';
export type {
  AttemptBody,
  CredentialsBody,
  LoginReply,
  NewTokenReply,
  ReadyReply,
  SubmitRequest,
  TaskBody,
  TaskListReply,
  TaskStateBody,
  TaskStatesReply,
  TokenBody,
  UserBody,
} from '../shared/contracts/http.ts';
export type { ImageListReply } from '../shared/contracts/images.ts';
export type {
  SocketRefusal,
  TaskEvent,
  TaskLogEndEvent,
  TaskLogEvent,
  TaskPartialEvent,
  TaskProgressBody,
  TaskUsageEvent,
} from '../shared/contracts/live.ts';
export type { LogLineBody } from '../shared/contracts/log-lines.ts';
export type { QueueEntryBody, QueueReply } from '../shared/contracts/queue.ts';
export type {
  CancelManyReply,
  TaskSummaryBody,
  TaskSummaryListReply,
} from '../shared/contracts/task-lists.ts';
export type { TaskUsageReply } from '../shared/contracts/task-usage.ts';
export type { UploadBody } from '../shared/contracts/uploads.ts';
export type { AccountBody, NewUserBody, UserChangeBody, UserListReply } from '../shared/contracts/users.ts';
export type { DeliveryBody, DeliveryListReply, WebhookBody } from '../shared/contracts/webhooks.ts';
export type { WhatIfReply, WhatIfRequest } from '../shared/contracts/what-if.ts';
export type { AmountsBody, ExplainReply, TelemetryReply, WorkerBody } from '../shared/contracts/workers.ts';
export type { ErrorCode, ErrorDetail } from '../shared/errors.ts';
export type { TaskState } from '../shared/model/task.ts';
export { isTerminal } from '../shared/model/task-states.ts';
export type { AuditQuestion } from './audit.ts';
export type { BackupDownload } from './backups.ts';
export {
  type CallOptions,
  type Client,
  createClient,
  type HistoryFilter,
  type TaskFilter,
} from './client.ts';
export type { DecisionOptions } from './decisions.ts';
export { ApiError, ConnectionError, isAway, mayPass } from './errors.ts';
export type {
  ArchiveOptions,
  DownloadOptions,
  FileDownload,
  FileOf,
  FilePageOptions,
  Uploaded,
  UploadOptions,
} from './files.ts';
export {
  createLive,
  type Live,
  type LiveOptions,
  type LiveState,
  type LogStart,
  type RoomListener,
} from './live.ts';
export type { LogOptions, LogTextOptions } from './task-logs.ts';
export type { ClientOptions, Content, Fetch } from './transport.ts';
export type { NewUpload } from './uploads.ts';
export type { UserFilter } from './users.ts';
export type { DeliveryFilter, NewWebhook } from './webhooks.ts';
