// What documents of earlier releases have only in their JSON, read for those alone. The one place that knows how they look:
// whoever reads tasks gets documents that are complete.

import { heldGpuIds, isLeaving } from '../../model/held.ts';
import type { TaskSpec } from '../../model/task.ts';
import type { Collections } from './collections.ts';
import { type TaskDocument, taskOf } from './task-document.ts';

type Tasks = Collections['tasks'];
type Ids = readonly { readonly _id: string }[];

/** Fields that came after the first release, and what they say of a task that was submitted before. */
const FROM_SPEC = {
  name: (spec: TaskSpec): string => JSON.stringify(spec.name),
  image: (spec: TaskSpec): string => spec.image,
  kValue: (spec: TaskSpec): number => spec.kValue,
  labels: (): string => '',
};

type LaterField = keyof typeof FROM_SPEC;
/** A document that has these fields for sure. */
export type Complete<Doc, Field extends LaterField> = Omit<Doc, Field> & Required<Pick<TaskDocument, Field>>;

/** The documents with those of `fields` filled in that are missing. All of `fields` were asked for. */
export async function complete<Field extends LaterField, Doc extends Pick<TaskDocument, '_id' | Field>>(
  tasks: Tasks,
  docs: readonly Doc[],
  fields: readonly Field[],
): Promise<Complete<Doc, Field>[]> {
  const lacks = (doc: Doc) => fields.some((field) => doc[field] === undefined);
  const older = docs.filter(lacks);
  const specs = older.length === 0 ? null : await specsOf(tasks, older);
  return docs.map((doc) => {
    const spec = specs?.get(doc._id);
    // One that was removed meanwhile says what it can.
    if (!lacks(doc)) return doc as Complete<Doc, Field>;
    const added = fields.map((field) => [
      field,
      doc[field] ?? (spec ? FROM_SPEC[field](spec) : NOTHING[field]),
    ]);
    return { ...doc, ...Object.fromEntries(added) } as Complete<Doc, Field>;
  });
}

const NOTHING = { name: '""', image: '', kValue: 0, labels: '' } as const;

async function specsOf(tasks: Tasks, docs: Ids): Promise<ReadonlyMap<string, TaskSpec>> {
  const found = await tasks
    .find({ _id: { $in: docs.map(({ _id }) => _id) } }, { projection: { spec: 1 } })
    .toArray();
  return new Map(found.map(({ _id, spec }) => [_id, JSON.parse(spec) as TaskSpec]));
}

export interface Held {
  readonly gpuIds: readonly string[];
  readonly isLeaving: boolean;
}

export async function heldOf(tasks: Tasks, docs: Ids): Promise<ReadonlyMap<string, Held>> {
  if (docs.length === 0) return new Map();
  const found = await tasks.find({ _id: { $in: docs.map(({ _id }) => _id) } }).toArray();
  return new Map(
    found.map((doc) => {
      const task = taskOf(doc);
      return [doc._id, { gpuIds: heldGpuIds(task), isLeaving: isLeaving(task) }];
    }),
  );
}
