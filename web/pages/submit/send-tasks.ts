// Sends what the form holds, once or many times over.

import type { Client } from '../../../client/client.ts';
import type { SubmitBody, TaskBody } from '../../../shared/contracts/http.ts';

export const MOST_COPIES = 1_000;

/** All or none. With the same key again the API gives back the same tasks. @throws ApiError, ConnectionError */
export async function sendTasks(
  client: Client,
  body: SubmitBody,
  copies: number,
  idempotencyKey: string,
): Promise<TaskBody[]> {
  if (copies === 1) return [await client.submitTask(body, { idempotencyKey })];
  return client.submitBatch(
    Array.from({ length: copies }, () => body),
    { idempotencyKey },
  );
}
