// A followed task for programs: one JSON object a line for each thing that happens. Names are part of the contract and
// stand in docs/DOCUMENTATION.md.

import type { TaskBody } from '../../shared/contracts/http.ts';
import type { TaskProgressBody, TaskUsageEvent } from '../../shared/contracts/live.ts';
import type { LogLineBody } from '../../shared/contracts/log-lines.ts';
import type { ExplainReply } from '../../shared/contracts/workers.ts';
import type { CliIo } from '../io.ts';
import type { TaskView } from './task-view.ts';

/** Of these only the newest counts: a reader that is slow gets fewer of them. */
type Newest = 'progress' | 'usage';

export class JsonView implements TaskView {
  readonly #io: CliIo;
  readonly #taskId: string;
  readonly #newest = new Map<Newest, object>();
  #written: Promise<void> = Promise.resolve();

  constructor(io: CliIo, taskId: string) {
    this.#io = io;
    this.#taskId = taskId;
  }

  state(task: TaskBody): void {
    const at =
      task.status === 'running'
        ? task.started_at
        : task.status === 'assigned'
          ? task.assigned_at
          : task.queued_at;
    const { status, attempt, worker_id, cancel_requested } = task;
    void this.#write('state', { status, attempt, worker_id, cancel_requested, at });
  }

  waiting({ summary, position }: ExplainReply): void {
    void this.#write('waiting', { summary, position });
  }

  progress({ attempt, phase, percent, message, at }: TaskProgressBody): void {
    this.#tellNewest('progress', { attempt, phase, percent, message, at });
  }

  usage({ attempt, cpu, memory, at }: TaskUsageEvent): void {
    this.#tellNewest('usage', { attempt, cpu, memory, at });
  }

  partial(): void {}

  connection(lost: string | null): void {
    void this.#write('connection', { state: lost === null ? 'back' : 'lost', message: lost });
  }

  line({ seq, ts, stream, line, more }: LogLineBody, attempt: number): Promise<void> {
    return this.#write('log', { attempt, seq, ts, stream, line, ...(more ? { more } : {}) });
  }

  end(task: TaskBody): Promise<void> {
    const { status, attempt, worker_id, reason, exit_code, message, started_at, finished_at } = task;
    return this.#write('end', {
      status,
      attempt,
      worker_id,
      reason,
      exit_code,
      message,
      started_at,
      finished_at,
    });
  }

  close(): Promise<void> {
    return this.#written;
  }

  #tellNewest(event: Newest, body: object): void {
    const waits = this.#newest.has(event);
    this.#newest.set(event, body);
    if (waits) return;
    this.#written = this.#written.then(() => {
      const newest = this.#newest.get(event);
      this.#newest.delete(event);
      return newest && this.#out(event, newest);
    });
  }

  #write(event: string, body: object): Promise<void> {
    this.#written = this.#written.then(() => this.#out(event, body));
    return this.#written;
  }

  #out(event: string, body: object): Promise<void> {
    return this.#io.out(`${JSON.stringify({ event, task_id: this.#taskId, ...body })}\n`);
  }
}
