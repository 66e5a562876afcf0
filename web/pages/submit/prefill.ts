// What the address of the form says should stand in it: another task to start from, single fields, or both.

import type { SubmitRequest, TaskBody } from '../../../shared/contracts/http.ts';
import { readRequest, requestOfQuery } from './read-request.ts';

export interface Prefill {
  readonly request: SubmitRequest;
  /** Where it comes from, in words, and where to see that; empty when nowhere. */
  readonly from: string;
  readonly href: string;
  /** What could not be taken over. */
  readonly faults: readonly string[];
}

/** Null when it says nothing. @throws what `getTask` throws */
export async function loadPrefill(
  query: URLSearchParams,
  getTask: (id: string) => Promise<TaskBody>,
): Promise<Prefill | null> {
  const said = requestOfQuery(query);
  const from = query.get('from');
  if (from === null || from === '') {
    return said && { request: said.request, from: 'the address', href: '', faults: said.faults };
  }
  const task = await getTask(from);
  const read = readRequest(task);
  // What the address says beside it goes before what the task has.
  const own = said
    ? Object.entries(said.request).filter(([name, value]) => name !== 'docker_image' || value !== '')
    : [];
  const request = { ...(read?.request ?? { docker_image: '' }), ...Object.fromEntries(own) };
  return {
    request,
    from: task.name || task.task_id,
    href: `/tasks/${task.task_id}`,
    faults: [...(read?.faults ?? []), ...(said?.faults ?? [])],
  };
}
