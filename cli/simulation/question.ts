// The tasks of a question: no more of each than decides where it goes, and what is alike once with its count. Pure.

import type { SubmitRequest } from '../../shared/contracts/http.ts';

/** Commands and environment, and with them secrets, stay here. */
const DECIDING = [
  'docker_image',
  'cpu_required',
  'memory_required',
  'gpu_required',
  'storage_required',
  'priority',
  'worker',
  'files',
] as const satisfies readonly (keyof SubmitRequest)[];

export type AskedTask = Pick<SubmitRequest, (typeof DECIDING)[number]> & { readonly count: number };

/** @param times how often each is meant; an order other than that of the first of each kind is lost */
export function askedTasks(bodies: Iterable<SubmitRequest>, times: number): AskedTask[] {
  const kinds = new Map<string, { body: SubmitRequest; count: number }>();
  for (const body of bodies) {
    const deciding = Object.fromEntries(
      DECIDING.filter((name) => body[name] !== undefined).map((name) => [name, body[name]]),
    ) as unknown as SubmitRequest;
    const key = JSON.stringify(deciding);
    const kind = kinds.get(key);
    if (kind) kind.count += times;
    else kinds.set(key, { body: deciding, count: times });
  }
  return [...kinds.values()].map(({ body, count }) => ({ ...body, count }));
}
