// Another user who goes on working while somebody floods: one read and one write after the other, timed; and what the
// processes hold meanwhile, looked at four times a second.

import { setTimeout as delay } from 'node:timers/promises';
import { Redis } from 'ioredis';
import { redisUrl } from '../../test/support/servers.ts';
import { costOf } from '../live/process-cost.ts';
import { quantile } from '../machine.ts';

export interface Latencies {
  readonly read: number[];
  readonly write: number[];
  /** Answers that were none: too late, or of 500 and above. */
  readonly failed: number;
}

const PAUSE_MS = 25;
const BODY = JSON.stringify({
  docker_image: 'nothing:here',
  // Nowhere: it waits, which is not what is measured here.
  worker: 'nowhere',
  cpu_required: 0.1,
  memory_required: 16,
});

/** Reads and writes by turns until `end` is aborted. */
export async function work(url: string, token: string, end: AbortSignal): Promise<Latencies> {
  const seen = { read: [] as number[], write: [] as number[], failed: 0 };
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const once = async (into: number[], path: string, init: RequestInit) => {
    const began = performance.now();
    const reply = await fetch(url + path, { ...init, headers, signal: AbortSignal.timeout(30_000) }).catch(
      () => null,
    );
    await reply?.arrayBuffer();
    if (!reply || reply.status >= 400) seen.failed += 1;
    into.push(performance.now() - began);
    await delay(PAUSE_MS);
  };
  while (!end.aborted) {
    await once(seen.read, '/api/tasks?limit=20', {});
    await once(seen.write, '/api/tasks', { method: 'POST', body: BODY });
  }
  return seen;
}

export interface Held {
  readonly before: number;
  readonly peak: number;
  readonly after: number;
}

/** Megabytes of each process, and of Redis, until the returned function is called. */
export async function watchMemory(
  pids: Readonly<Record<string, number | undefined>>,
): Promise<() => Promise<Record<string, Held>>> {
  const redis = new Redis(redisUrl);
  const look = async () => {
    const info = await redis.info('memory');
    const inRedis = Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / 2 ** 20;
    const each = Object.entries(pids).map(
      async ([name, pid]) => [name, (await costOf(pid ?? 0)).memory] as const,
    );
    return { ...Object.fromEntries(await Promise.all(each)), Redis: inRedis } as Record<string, number>;
  };
  const before = await look();
  const peak = { ...before };
  const timer = setInterval(async () => {
    for (const [name, mb] of Object.entries(await look().catch(() => ({})))) {
      peak[name] = Math.max(peak[name] ?? 0, Number(mb));
    }
  }, 250);
  return async () => {
    clearInterval(timer);
    const after = await look();
    await redis.quit();
    return Object.fromEntries(
      Object.keys(before).map((name) => [
        name,
        { before: before[name] ?? 0, peak: peak[name] ?? 0, after: after[name] ?? 0 },
      ]),
    );
  };
}

export function latencyLine(calm: Latencies, flooded: Latencies): string {
  const of = (kind: 'read' | 'write') =>
    [0.5, 0.99]
      .map((q) => {
        const [before, during] = [quantile(calm[kind], q), quantile(flooded[kind], q)];
        const ratio = (during / before).toFixed(1);
        return `p${q * 100} ${before.toFixed(1)} → ${during.toFixed(1)} ms (× ${ratio})`;
      })
      .join(', ');
  return `GET ${of('read')}; POST ${of('write')}; ${flooded.read.length + flooded.write.length} calls, ${flooded.failed} failed`;
}
