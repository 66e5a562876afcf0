// What an attempt used over time: `GET /api/tasks/{id}/usage?attempt=`. Like http.ts a browser may import this file.

export interface TaskUsageReply {
  task_id: string;
  /** The one asked for, or the newest that has started. */
  attempt: number;
  /** Mean over each step; a long run has longer steps, so that there are never more than a few hundred points. */
  step_seconds: number;
  /** Start of a step, cores in use, MB of memory, in order of time. */
  points: [at: string, cpu: number, memory: number][];
}
