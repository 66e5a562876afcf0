// Files as a person looks for them: one's uploads first, then what each task left, the newest task first. Pure.

import type { FileBody } from '../../../shared/contracts/files.ts';

export interface FileGroup {
  /** Null: uploads. */
  readonly taskId: string | null;
  /** Empty when it has none. */
  readonly taskName: string;
  readonly files: readonly FileBody[];
  readonly bytes: number;
  /** ISO 8601, of the newest file. */
  readonly newestAt: string;
}

export const SORTS = ['name', 'size', 'new'] as const;
export type FileSort = (typeof SORTS)[number];

const COMPARE: Readonly<Record<FileSort, (a: FileBody, b: FileBody) => number>> = {
  name: (a, b) =>
    a.path.localeCompare(b.path, undefined, { numeric: true }) || (a.attempt ?? 0) - (b.attempt ?? 0),
  size: (a, b) => b.size_bytes - a.size_bytes,
  new: (a, b) => b.created_at.localeCompare(a.created_at),
};

/** @param search each word of it must stand in the path, the type, or the id or name of the task, whatever its case */
export function fileGroups(
  files: readonly FileBody[],
  search: string,
  sort: FileSort,
  names: ReadonlyMap<string, string> = new Map(),
): FileGroup[] {
  const nameOf = (taskId: string | null) => names.get(taskId ?? '') ?? '';
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const byTask = new Map<string | null, FileBody[]>();
  for (const file of files) {
    const text =
      `${file.path}\n${file.content_type}\n${file.task_id ?? ''}\n${nameOf(file.task_id)}`.toLowerCase();
    if (!words.every((word) => text.includes(word))) continue;
    const group = byTask.get(file.task_id);
    if (group) group.push(file);
    else byTask.set(file.task_id, [file]);
  }
  return [...byTask]
    .map(([taskId, own]) => ({ ...groupOf(taskId, own, sort), taskName: nameOf(taskId) }))
    .sort(byNewest);
}

function groupOf(taskId: string | null, files: FileBody[], sort: FileSort): Omit<FileGroup, 'taskName'> {
  return {
    taskId,
    files: files.sort(COMPARE[sort]),
    bytes: files.reduce((sum, { size_bytes }) => sum + size_bytes, 0),
    newestAt:
      files
        .map(({ created_at }) => created_at)
        .sort()
        .at(-1) ?? '',
  };
}

function byNewest(a: FileGroup, b: FileGroup): number {
  if (a.taskId === null || b.taskId === null) return a.taskId === null ? -1 : 1;
  return b.newestAt.localeCompare(a.newestAt);
}
