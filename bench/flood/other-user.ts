// Another user who goes on working while somebody floods, in a process of its own so that no work of the bench delays it:
// submits a task, reads it, lists the newest, again and again; and beside that runs small tasks in containers, one
// after the other. Takes one line of JSON, an OtherUserPlan; prints one, its OtherUserTimes, when its standard input ends.

import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { setTimeout as delay } from 'node:timers/promises';

export interface OtherUserPlan {
  readonly url: string;
  readonly token: string;
  /** Of a task that waits: it is not run. */
  readonly waiting: Readonly<Record<string, unknown>>;
  /** Of a small task that is run. */
  readonly small: Readonly<Record<string, unknown>>;
}

/** Milliseconds of each; `run` is from before the submission until it is seen to have ended. */
export interface OtherUserTimes {
  readonly submit: number[];
  readonly read: number[];
  readonly list: number[];
  readonly run: number[];
  /** Answers that were none: late beyond 30 s, or of 400 and above; and tasks that did not complete. */
  readonly failed: number;
  /** Of the run that took longest: from its submission until the submission was answered, it was placed, it started. */
  readonly slowest: string;
}

interface Answer {
  readonly task_id?: string;
  readonly status?: string;
  readonly assigned_at?: string | null;
  readonly started_at?: string | null;
}

const PAUSE_MS = 10;
const BETWEEN_RUNS_MS = 500;
const ENDED = ['completed', 'failed', 'cancelled'];

const [text] = await once(createInterface({ input: process.stdin }), 'line');
const { url, token, waiting, small } = JSON.parse(String(text)) as OtherUserPlan;
const seen = { submit: [] as number[], read: [] as number[], list: [] as number[], run: [] as number[] };
let failed = 0;
let slowest = { ms: 0, text: '' };
const end = new AbortController();
process.stdin.on('close', () => end.abort());

async function ask(path: string, into: number[] | null, body?: unknown): Promise<Answer> {
  const began = performance.now();
  const init = body === undefined ? {} : { method: 'POST', body: JSON.stringify(body) };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const answer = await fetch(url + path, { ...init, headers, signal: AbortSignal.timeout(30_000) })
    .then(async (reply) => (reply.ok ? ((await reply.json()) as Answer) : null))
    .catch(() => null);
  into?.push(performance.now() - began);
  if (answer === null) failed += 1;
  return answer ?? {};
}

async function works(): Promise<void> {
  while (!end.signal.aborted) {
    const { task_id: id } = await ask('/api/tasks', seen.submit, waiting);
    await delay(PAUSE_MS);
    if (id) await ask(`/api/tasks/${id}`, seen.read);
    await delay(PAUSE_MS);
    await ask('/api/tasks?limit=20', seen.list);
    await delay(PAUSE_MS);
  }
}

async function runs(): Promise<void> {
  while (!end.signal.aborted) {
    const [began, beganAt] = [performance.now(), Date.now()];
    const { task_id: id } = await ask('/api/tasks', null, small);
    const answeredMs = performance.now() - began;
    let seenLast: Answer = {};
    let status = id ? 'queued' : 'none';
    while (id && !ENDED.includes(status) && !end.signal.aborted) {
      await delay(PAUSE_MS);
      seenLast = await ask(`/api/tasks/${id}`, null);
      status = seenLast.status ?? status;
    }
    // One that is still on its way at the end counts with what it has taken by then: it is not to be forgotten.
    const tookMs = performance.now() - began;
    seen.run.push(tookMs);
    const since = (at: string | null | undefined) => (at ? `${Date.parse(at) - beganAt} ms` : 'not yet');
    const { assigned_at: placed, started_at: started } = seenLast;
    if (tookMs > slowest.ms) {
      const steps = `answered ${answeredMs.toFixed(0)} ms, placed ${since(placed)}, started ${since(started)}`;
      slowest = { ms: tookMs, text: `${steps}, seen to be ${status} ${tookMs.toFixed(0)} ms` };
    }
    if (ENDED.includes(status) && status !== 'completed') failed += 1;
    await delay(BETWEEN_RUNS_MS, undefined, { signal: end.signal }).catch(() => undefined);
  }
}

await Promise.all([works(), runs()]);
process.stdout.write(
  `${JSON.stringify({ ...seen, failed, slowest: slowest.text } satisfies OtherUserTimes)}\n`,
);
