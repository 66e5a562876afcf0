// Gathers the evidence when all is over: records, output and files through the API, effects from the shared volume.

import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { TaskBody } from '../../shared/contracts/http.ts';
import type { Door } from './door.ts';
import type { JobEvidence, LogLine } from './evidence.ts';
import { EFFECTS_FILE, type Job } from './jobs.ts';
import type { Submitter } from './submitter.ts';

const AT_ONCE = 8;

export interface GatherParts {
  readonly door: Door;
  readonly submitter: Submitter;
  /** What containers see at SHARED_PATH. */
  readonly sharedDir: string;
}

export async function gatherJobs(jobs: readonly Job[], parts: GatherParts): Promise<JobEvidence[]> {
  const effects = await readEffects(parts.sharedDir);
  const found: JobEvidence[] = [];
  const queue = [...jobs];
  await Promise.all(
    Array.from({ length: AT_ONCE }, async () => {
      for (let job = queue.shift(); job; job = queue.shift()) {
        found.push(await gatherJob(job, effects.get(job.token) ?? 0, parts));
      }
    }),
  );
  return found.sort((a, b) => (a.job.token < b.job.token ? -1 : 1));
}

async function gatherJob(job: Job, effects: number, { door, submitter }: GatherParts): Promise<JobEvidence> {
  const acceptedAs = submitter.acceptedAs(job.token);
  const [id] = acceptedAs;
  const none = { job, acceptedAs, record: null, firstEnd: null, log: [], file: null, effects };
  if (id === undefined) return none;
  const { status, body } = await door.call<TaskBody>('GET', `/api/tasks/${id}`);
  if (status !== 200) return none;
  const file = job.kind === 'files' ? await readFileOf(id, door) : null;
  return { ...none, record: body, firstEnd: submitter.firstEnd(id), log: await readLog(id, door), file };
}

async function readLog(id: string, door: Door): Promise<LogLine[]> {
  const { status, body } = await door.call<string>('GET', `/api/tasks/${id}/logs`, undefined, {
    headers: { accept: 'application/x-ndjson' },
  });
  if (status !== 200)
    throw new Error(`the output of ${id} cannot be read: ${status} ${JSON.stringify(body)}`);
  return body
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as LogLine);
}

async function readFileOf(id: string, door: Door): Promise<string | null> {
  const { status, body } = await door.call<string>('GET', `/api/tasks/${id}/files/part/token`);
  return status === 200 ? body : null;
}

async function readEffects(sharedDir: string): Promise<ReadonlyMap<string, number>> {
  const counts = new Map<string, number>();
  const text = await readFile(join(sharedDir, EFFECTS_FILE), 'utf8').catch(() => '');
  for (const token of text.split('\n')) counts.set(token, (counts.get(token) ?? 0) + 1);
  return counts;
}
