// The files a task left in `/output`, attempt by attempt, for its owner and admins. Knows nothing of HTTP.

import type { Readable } from 'node:stream';
import type { ArchiveFormat } from '../../../shared/contracts/files.ts';
import { AppError } from '../../../shared/errors.ts';
import type { FileRecord } from '../../../shared/model/file.ts';
import type { Task } from '../../../shared/model/task.ts';
import type { Principal } from '../../../shared/model/user.ts';
import type { FileFilter, FilePage, FileRecordStore } from '../../../shared/ports/store.ts';
import { requireRight } from '../rights.ts';
import type { TaskRecords } from '../task-records.ts';
import { openArchive } from './archive.ts';
import type { FileContents } from './file-contents.ts';
import { shownAttempt } from './shown-attempt.ts';
import type { Transfers } from './transfers.ts';

export interface TaskFilesParts {
  readonly records: TaskRecords;
  readonly files: FileRecordStore;
  readonly contents: FileContents;
  readonly transfers: Transfers;
}

export interface FileTotal {
  readonly files: number;
  readonly bytes: number;
}

export interface TaskFilePage extends FilePage {
  readonly total: FileTotal;
  /** Whose files these are; null while no attempt has run. */
  readonly attempt: number | null;
}

/** Records in memory at a time while all of a task's files are walked. */
const PAGE_FILES = 500;
/** A zip keeps an entry of its index per file until its end. */
const ZIP_MAX_FILES = 100_000;

export class TaskFiles {
  readonly #parts: TaskFilesParts;

  constructor(parts: TaskFilesParts) {
    this.#parts = parts;
  }

  /** @throws AppError `not_found` for a task or an attempt that is not there; `invalid_request` for a wrong cursor */
  async list(
    by: Principal,
    taskId: string,
    query: { attempt?: number | undefined; limit: number; after?: string | undefined },
  ): Promise<TaskFilePage> {
    const task = await this.#parts.records.get(by, taskId);
    const attempt = attemptOf(task, query.attempt);
    if (attempt === null) return { files: [], total: { files: 0, bytes: 0 }, attempt, next: null };
    const filter = filterOf(task, attempt);
    const { files } = this.#parts;
    const [page, total] = await Promise.all([files.list(filter, query), files.total(filter)]);
    return { ...page, total, attempt };
  }

  /** @throws AppError `not_found` */
  async find(by: Principal, taskId: string, path: string, asked?: number): Promise<FileRecord> {
    const task = await this.#parts.records.get(by, taskId);
    const attempt = attemptOf(task, asked);
    const found =
      attempt === null
        ? null
        : await this.#parts.files.find({ ownerId: task.ownerId, taskId: task.id, attempt, path });
    if (found) return found;
    const which = attempt === null ? 'no attempt of it has run yet' : `attempt ${attempt} left no such file`;
    throw new AppError('not_found', `${taskId} has no file ${path}: ${which}`);
  }

  /** @throws AppError `not_found` */
  async remove(by: Principal, taskId: string, path: string, attempt?: number): Promise<void> {
    requireRight(by, 'file.delete');
    await this.#parts.contents.forget([await this.find(by, taskId, path, attempt)]);
  }

  /** Of one attempt or of all. None is no fault. */
  async removeAll(by: Principal, taskId: string, attempt?: number): Promise<void> {
    requireRight(by, 'file.delete');
    const task = await this.#parts.records.get(by, taskId);
    const filter = {
      ownerId: task.ownerId,
      taskId: task.id,
      ...(attempt === undefined ? {} : { attempt }),
    };
    for await (const files of this.#pages(filter)) await this.#parts.contents.forget(files);
  }

  /**
   * All files of an attempt in one stream, which fails when one of them cannot be read. One without files is empty.
   * @throws AppError `not_found`; `rate_limited`; `too_large` for more files than a zip should hold
   */
  async archive(
    by: Principal,
    taskId: string,
    query: { format: ArchiveFormat; attempt?: number | undefined },
  ): Promise<Readable> {
    const task = await this.#parts.records.get(by, taskId);
    const filter = filterOf(task, attemptOf(task, query.attempt) ?? 0);
    if (query.format === 'zip') await this.#refuseHugeZip(filter);
    const { contents, transfers } = this.#parts;
    const end = transfers.begin(by.userId);
    try {
      const source = { files: this.#each(filter), open: (file: FileRecord) => contents.open(file) };
      return openArchive(query.format, source).once('close', end);
    } catch (error) {
      end();
      throw error;
    }
  }

  async #refuseHugeZip(filter: FileFilter): Promise<void> {
    const { files } = await this.#parts.files.total(filter);
    if (files <= ZIP_MAX_FILES) return;
    throw new AppError('too_large', `${files} files are too many for a zip: ask for format=tar.gz`);
  }

  async *#pages(filter: FileFilter): AsyncGenerator<readonly FileRecord[], void> {
    let after: string | undefined;
    do {
      const page: FilePage = await this.#parts.files.list(filter, { limit: PAGE_FILES, after });
      yield page.files;
      after = page.next ?? undefined;
    } while (after !== undefined);
  }

  async *#each(filter: FileFilter): AsyncGenerator<FileRecord, void> {
    for await (const files of this.#pages(filter)) yield* files;
  }
}

function filterOf(task: Task, attempt: number): FileFilter {
  return { ownerId: task.ownerId, taskId: task.id, attempt };
}

/** @throws AppError `not_found` for an attempt that is not there */
function attemptOf(task: Task, asked: number | undefined): number | null {
  if (asked === undefined) return shownAttempt(task);
  if (asked <= task.attempt) return asked;
  throw new AppError('not_found', `there is no attempt ${asked}: the task is at ${task.attempt}`);
}
