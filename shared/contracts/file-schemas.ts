// What the file routes of the REST API accept, as Joi schemas.

import Joi from 'joi';
import { ARCHIVE_FORMATS, type ArchiveFormat } from './files.ts';
import { filePath, taskIdSchema } from './schemas.ts';

export interface FileListQuery {
  limit: number;
  cursor?: string;
}

/** Far more than a page of the largest list needs; a cursor holds a whole path. */
const FILE_CURSOR_MAX_CHARS = 8_192;

const attemptNumber = Joi.number().integer().min(1);
const filePage = {
  limit: Joi.number().integer().min(1).max(1_000).default(100),
  cursor: Joi.string().max(FILE_CURSOR_MAX_CHARS),
};

export const fileListSchema = Joi.object<FileListQuery & { user?: string }>({
  user: Joi.string().max(64),
  ...filePage,
});

export const taskFileListSchema = Joi.object<FileListQuery & { attempt?: number }>({
  attempt: attemptNumber,
  ...filePage,
});

export const taskFileSchema = Joi.object<{ attempt?: number }>({ attempt: attemptNumber });

/** For calls that would be misunderstood if they ignored what they do not know. */
export const noQuery = Joi.object({});

/** Whose upload: admins may name someone else. */
export const userFileSchema = Joi.object<{ user?: string }>({ user: Joi.string().max(64) });

export const archiveSchema = Joi.object<{ format: ArchiveFormat; attempt?: number }>({
  format: Joi.string()
    .valid(...ARCHIVE_FORMATS)
    .default('tar.gz'),
  attempt: attemptNumber,
});

/** The `{path*}` of an address, decoded. Absent when the address ends before it. */
const pathParam = {
  path: filePath.required().messages({
    'any.required': 'the address names no file',
    'string.empty': 'the address names no file',
  }),
};

export const filePathParams = Joi.object<{ path: string }>(pathParam);

export const taskFileParams = Joi.object<{ id: string; path: string }>({ id: taskIdSchema, ...pathParam });

export const uploadIdParams = Joi.object<{ id: string }>({
  id: Joi.string()
    .pattern(/^upload-[0-9a-f]{20}$/)
    .required()
    .messages({ 'string.pattern.base': 'the address holds no id of an upload' }),
});
