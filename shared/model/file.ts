// The record of a kept file: an output of a task or an upload in a user's space. The bytes live in the file store.

export interface FileRecord {
  /** Also the name of its bytes in the file store. A file that is written anew gets a new one. */
  readonly id: string;
  readonly ownerId: string;
  /** The task that wrote it, or null for an upload. */
  readonly taskId: string | null;
  /** Attempt of the task that wrote it, or null for an upload. */
  readonly attempt: number | null;
  /** Relative, `/`-separated, without `.` or `..`. Unique per owner, task and attempt. */
  readonly path: string;
  readonly sizeBytes: number;
  readonly contentType: string;
  /** Hex. */
  readonly sha256: string;
  readonly createdAt: number;
}
