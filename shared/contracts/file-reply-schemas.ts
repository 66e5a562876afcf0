// What the calls about files and output answer, as schemas of the document.

import Joi from 'joi';
import type { FileBody, FileListReply, FileTotalBody, TaskFileListReply } from './files.ts';
import type { LogLineBody } from './log-lines.ts';
import { amount, count, list, nextCursor, oneOf, reply, text, time, whole, yes } from './reply.ts';
import type { TaskUsageReply } from './task-usage.ts';
import { UPLOAD_STATES, type UploadBody, type UploadListReply } from './uploads.ts';

const sha256 = Joi.string().pattern(/^[0-9a-f]{64}$/);

export const fileReplySchema = reply<FileBody>('File', {
  path: Joi.string(),
  task_id: Joi.string().allow(null).description('The task that wrote it, or null for an upload.'),
  attempt: whole.min(1).allow(null),
  size_bytes: count,
  content_type: Joi.string(),
  sha256: sha256.description('In quotes it is the ETag of the bytes.'),
  created_at: time,
});

const total = reply<FileTotalBody>('FileTotal', { files: count, bytes: count });
const files = { files: list(fileReplySchema), total, next_cursor: nextCursor };
export const fileListReplySchema = reply<FileListReply>('FileList', files);
export const taskFileListReplySchema = reply<TaskFileListReply>('TaskFileList', {
  ...files,
  attempt: whole.min(1).allow(null).description('Whose files these are; null while none has run.'),
});

export const uploadReplySchema = reply<UploadBody>('Upload', {
  upload_id: Joi.string(),
  path: Joi.string(),
  size_bytes: count,
  offset: count.description('Bytes that are kept; the next one to send.'),
  content_type: Joi.string(),
  sha256: sha256.allow(null),
  state: oneOf(UPLOAD_STATES),
  created_at: time,
  expires_at: time,
});
export const uploadListReplySchema = reply<UploadListReply>('UploadList', {
  uploads: list(uploadReplySchema),
});

export const logLineReplySchema = reply<LogLineBody>('LogLine', {
  seq: whole.min(1),
  ts: time,
  stream: oneOf(['stdout', 'stderr']),
  line: text,
  attempt: whole.min(1).optional(),
  more: yes.optional().description('Too long for one: it goes on in the next line of this stream.'),
});

export const taskUsageReplySchema = reply<TaskUsageReply>('TaskUsage', {
  task_id: Joi.string(),
  attempt: count,
  step_seconds: amount,
  points: list(Joi.array().ordered(time.required(), amount.required(), amount.required())).description(
    'Start of a step, cores in use, MB of memory.',
  ),
});
