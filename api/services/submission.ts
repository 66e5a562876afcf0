// Submitting tasks: the last checks that need more than the body itself, the record in the store, then the word
// to the queue. A submission counts once it stands in the store. Knows nothing of HTTP.

import { AppError, type ErrorDetail, isAppError } from '../../shared/errors.ts';
import { DEFAULT_RETRY_DELAY_SECONDS, DEFAULT_RETRY_ON } from '../../shared/model/retry.ts';
import type { Task, TaskSpec } from '../../shared/model/task.ts';
import { newTask } from '../../shared/model/task-life.ts';
import type { Principal } from '../../shared/model/user.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import type { Store } from '../../shared/ports/store.ts';
import type { InsertOutcome } from '../../shared/ports/task-store.ts';
import type { Tracer } from '../../shared/ports/tracing.ts';
import type { Announcer } from './announcer.ts';
import { contentHash } from './canonical.ts';
import { refusal } from './faults.ts';
import { type Quotas, tooManyTasks } from './quotas.ts';
import { requireRight } from './rights.ts';
import type { TaskRecords } from './task-records.ts';

export interface SubmissionParts {
  readonly store: Pick<Store, 'tasks' | 'files'>;
  readonly records: TaskRecords;
  readonly announcer: Announcer;
  readonly quotas: Quotas;
  readonly imageAllowed: (image: string) => boolean;
  /** What is wrong with the url of a webhook; null when nothing is. */
  readonly webhookFault: (url: string) => string | null;
  /** Faults of workers after which a task is given up. */
  readonly maxLosses: number;
  readonly tracer: Tracer;
  readonly clock: Clock;
}

export interface Submission {
  /** In the order of the call. */
  readonly tasks: readonly Task[];
  /** True when an earlier call with the same idempotency key made them. */
  readonly replayed: boolean;
}

/** Of one that asked for a single task. */
export function onlyTask({ tasks: [task] }: Submission): Task {
  if (!task) throw new AppError('internal', 'a submission made no task');
  return task;
}

interface Draft {
  readonly owner: { readonly id: string; readonly name: string };
  readonly specs: readonly TaskSpec[];
  /** Path of a task's fields in the caller's body, e.g. `tasks.3.`, for the names of faults. */
  readonly fieldPrefix: (index: number) => string;
  readonly keys: readonly string[] | null;
  /** The task of which this is a retry: part of what its key stands for. */
  readonly retryOf?: string;
}

/** Above so many different paths one walk through all uploads is cheaper. */
const FIND_ONE_BY_ONE = 16;
const UPLOADS_PER_PAGE = 1_000;

export class Submissions {
  readonly #parts: SubmissionParts;

  constructor(parts: SubmissionParts) {
    this.#parts = parts;
  }

  /** @throws AppError `invalid_request` naming every fault; `idempotency_mismatch`; `quota_exceeded`; `forbidden` to viewers */
  async submit(by: Principal, spec: TaskSpec, idempotencyKey: string | null): Promise<Submission> {
    requireRight(by, 'task.submit');
    return this.#insert({
      owner: { id: by.userId, name: by.username },
      specs: [spec],
      fieldPrefix: () => '',
      keys: idempotencyKey === null ? null : [idempotencyKey],
    });
  }

  /** All or none. The tasks of a batch with a key have the keys `key#0`, `key#1`, … */
  async submitBatch(
    by: Principal,
    specs: readonly TaskSpec[],
    idempotencyKey: string | null,
  ): Promise<Submission> {
    requireRight(by, 'task.submit');
    return this.#insert({
      owner: { id: by.userId, name: by.username },
      specs,
      fieldPrefix: (index) => `tasks.${index}.`,
      keys: idempotencyKey === null ? null : specs.map((_, index) => `${idempotencyKey}#${index}`),
    });
  }

  /** What a submission of these as `tasks` would be refused for. */
  faultsOf(by: Principal, specs: readonly TaskSpec[]): Promise<ErrorDetail[]> {
    return this.#faults({
      owner: { id: by.userId, name: by.username },
      specs,
      fieldPrefix: (index) => `tasks.${index}.`,
    });
  }

  /** A new task from the spec of an old one, for the same owner, whose files and keys it may name. */
  async retry(
    by: Principal,
    taskId: string,
    idempotencyKey: string | null,
    trace: Pick<TaskSpec, 'traceparent'> = {},
  ): Promise<Submission> {
    requireRight(by, 'task.retry');
    const old = await this.#parts.records.get(by, taskId);
    return this.#insert({
      owner: { id: old.ownerId, name: old.ownerName },
      // The old one belongs to a trace of its own.
      specs: [{ ...inTrace(old.spec, null), ...trace }],
      fieldPrefix: () => '',
      keys: idempotencyKey === null ? null : [idempotencyKey],
      retryOf: old.id,
    });
  }

  /** What belongs to the trace of the request goes on in one of the submission, and so do its tasks. */
  async #insert(draft: Draft): Promise<Submission> {
    const { tracer, clock } = this.#parts;
    const span = tracer.start('task.submit', {
      parent: draft.specs[0]?.traceparent,
      kind: 'producer',
      at: clock.now(),
      attributes: { 'cloudai.tasks': draft.specs.length },
    });
    try {
      const made = await this.#insertIn(draft, span.traceparent);
      const [first] = made.tasks;
      if (first) span.set({ 'cloudai.task_id': first.id, 'cloudai.replayed': made.replayed });
      return made;
    } catch (error) {
      span.fail(isAppError(error) ? error.code : 'internal');
      throw error;
    } finally {
      span.end(clock.now());
    }
  }

  async #insertIn(draft: Draft, traceparent: string | null): Promise<Submission> {
    const { announcer, quotas, clock, maxLosses } = this.#parts;
    const faults = await this.#faults(draft);
    if (faults.length > 0) throw refusal(faults);
    const now = clock.now();
    const requestHash = draft.keys === null ? null : contentHash(named(draft));
    const tasks = draft.specs.map((spec, index) =>
      newTask({
        id: newTaskId(now),
        ownerId: draft.owner.id,
        ownerName: draft.owner.name,
        spec: inTrace({ ...spec, maxLosses }, traceparent),
        idempotencyKey: draft.keys?.[index] ?? null,
        requestHash,
        now,
      }),
    );
    let limit: number | undefined;
    const outcome = await quotas.submit(draft.owner.id, (maxUnfinished) => {
      limit = maxUnfinished;
      return this.#insertOnce(tasks, maxUnfinished);
    });
    if (outcome.kind === 'inserted') {
      announcer.submitted(tasks);
      return { tasks, replayed: false };
    }
    if (outcome.kind === 'over_limit') {
      throw tooManyTasks(draft.owner.name, limit ?? 0, outcome.unfinished, tasks.length);
    }
    const same =
      outcome.existing.length === tasks.length &&
      outcome.existing.every((task) => task.requestHash === requestHash);
    if (!same) {
      throw new AppError(
        'idempotency_mismatch',
        'this Idempotency-Key was used before for something else: use a new key for a new submission',
      );
    }
    return { tasks: outcome.existing, replayed: true };
  }

  /**
   * An insert whose answer was lost may have been done. Who is told to try again would submit twice, so the store is
   * asked once more before; their ids are nobody else's.
   */
  async #insertOnce(tasks: readonly Task[], maxUnfinished: number | undefined): Promise<InsertOutcome> {
    const { store } = this.#parts;
    try {
      return await store.tasks.insert(tasks, maxUnfinished);
    } catch (error) {
      if (!isAppError(error) || !error.retryable) throw error;
      const there = await store.tasks.getMany(tasks.map(({ id }) => id)).catch(() => []);
      if (there.length < tasks.length) throw error;
      return { kind: 'inserted' };
    }
  }

  async #faults({
    owner,
    specs,
    fieldPrefix,
  }: Pick<Draft, 'owner' | 'specs' | 'fieldPrefix'>): Promise<ErrorDetail[]> {
    const faults: ErrorDetail[] = [];
    specs.forEach(({ image }, index) => {
      if (this.#parts.imageAllowed(image)) return;
      const field = `${fieldPrefix(index)}docker_image`;
      faults.push({ field, message: `"${field}" is not allowed on this cluster: ${image}` });
    });
    specs.forEach(({ webhook }, index) => {
      const fault = webhook ? this.#parts.webhookFault(webhook.url) : null;
      if (fault === null) return;
      const field = `${fieldPrefix(index)}webhook.url`;
      faults.push({ field, message: `"${field}" ${fault}` });
    });
    const wanted = new Set(specs.flatMap(({ files }) => files));
    if (wanted.size > 0) {
      const there = await this.#uploads(owner.id, wanted);
      specs.forEach(({ files }, index) => {
        files.forEach((path, place) => {
          if (there.has(path)) return;
          const field = `${fieldPrefix(index)}files.${place}`;
          faults.push({ field, message: `"${field}" is not among your uploads: ${path}` });
        });
      });
    }
    return faults;
  }

  /** Those of `paths` that the owner has uploaded. */
  async #uploads(ownerId: string, paths: ReadonlySet<string>): Promise<ReadonlySet<string>> {
    const { files } = this.#parts.store;
    if (paths.size <= FIND_ONE_BY_ONE) {
      const find = (path: string) => files.find({ ownerId, taskId: null, attempt: null, path });
      const found = await Promise.all([...paths].map(find));
      return new Set(found.filter((file) => file !== null).map(({ path }) => path));
    }
    const there = new Set<string>();
    let after: string | undefined;
    do {
      const page = await files.list({ ownerId, taskId: null }, { limit: UPLOADS_PER_PAGE, after });
      for (const { path } of page.files) if (paths.has(path)) there.add(path);
      after = page.next ?? undefined;
    } while (after !== undefined);
    return there;
  }
}

function inTrace({ traceparent: _, ...spec }: TaskSpec, traceparent: string | null): TaskSpec {
  return traceparent === null ? spec : { ...spec, traceparent };
}

/** What an idempotency key stands for. The same key for retries of two tasks is a mistake, however alike they are. */
function named({ specs, retryOf }: Draft): unknown {
  const tasks = specs.map(hashed);
  return retryOf === undefined ? tasks : { retryOf, tasks };
}

/**
 * A task as it is part of that. Where labels and retries are as usual it is as it was before there were any to
 * choose, so that keys stay good; what the cluster has set is not part of it.
 */
function hashed(of: TaskSpec): object {
  const { constraints, prefer, mounts, maxLosses: _, traceparent: __, ...known } = of;
  const { retryOn, retryOnExitCodes, retryDelaySeconds, queueTimeoutSeconds, ...spec } = known;
  const usualOn = [...retryOn].sort().join() === [...DEFAULT_RETRY_ON].sort().join();
  return {
    ...spec,
    ...(usualOn ? {} : { retryOn }),
    ...(retryOnExitCodes.length > 0 ? { retryOnExitCodes } : {}),
    ...(retryDelaySeconds === DEFAULT_RETRY_DELAY_SECONDS ? {} : { retryDelaySeconds }),
    ...(queueTimeoutSeconds > 0 ? { queueTimeoutSeconds } : {}),
    ...(Object.keys(constraints).length > 0 ? { constraints } : {}),
    ...(mounts.length > 0 ? { mounts } : {}),
    ...(Object.keys(prefer).length > 0 ? { prefer } : {}),
  };
}
