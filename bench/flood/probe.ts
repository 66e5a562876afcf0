// What is looked at during a flood: how long another user waits, what the processes hold, how busy the machine is.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { Redis } from 'ioredis';
import { redisUrl } from '../../test/support/servers.ts';
import { costOf } from '../live/process-cost.ts';
import { quantile } from '../machine.ts';
import type { OtherUserPlan, OtherUserTimes } from './other-user.ts';

export interface Seen {
  readonly times: OtherUserTimes;
  /** Processors in use on the whole machine, on average. */
  readonly busyCores: number;
  /** Highest resident megabytes of each process; of Redis what it says it uses. */
  readonly peakMb: Readonly<Record<string, number>>;
  readonly said: string;
}

const LOOK_MS = 250;
/** Of /proc/stat. */
const TICKS = 100;

/** What is seen while `during` goes on. */
export async function watch(
  plan: OtherUserPlan,
  pids: Readonly<Record<string, number | undefined>>,
  during: () => Promise<string>,
): Promise<Seen> {
  const redis = new Redis(redisUrl);
  const peakMb: Record<string, number> = {};
  const look = async () => {
    for (const [name, mb] of Object.entries(await held(redis, pids))) {
      peakMb[name] = Math.max(peakMb[name] ?? 0, mb);
    }
  };
  await look();
  const looker = setInterval(() => void look().catch(() => undefined), LOOK_MS);
  const other = spawn(
    process.execPath,
    ['--import', 'tsx', fileURLToPath(new URL('other-user.ts', import.meta.url))],
    { stdio: ['pipe', 'pipe', 'inherit'] },
  );
  try {
    const line = once(createInterface({ input: other.stdout }), 'line');
    other.stdin.write(`${JSON.stringify(plan)}\n`);
    const [busyBefore, began] = [await busySeconds(), performance.now()];
    const said = await during();
    const busyCores = ((await busySeconds()) - busyBefore) / ((performance.now() - began) / 1_000);
    other.stdin.end();
    const [text] = await line;
    return { times: JSON.parse(String(text)) as OtherUserTimes, busyCores, peakMb, said };
  } finally {
    clearInterval(looker);
    other.kill();
    await redis.quit();
  }
}

async function held(
  redis: Redis,
  pids: Readonly<Record<string, number | undefined>>,
): Promise<Record<string, number>> {
  const info = await redis.info('memory');
  const inRedis = Number(/^used_memory:(\d+)/m.exec(info)?.[1]) / 2 ** 20;
  const each = Object.entries(pids).map(
    async ([name, pid]) => [name, (await costOf(pid ?? 0)).memory] as const,
  );
  return { ...Object.fromEntries(await Promise.all(each)), Redis: inRedis };
}

/** Processor seconds of the machine since it started, without those in which it rested or waited for a disk. */
async function busySeconds(): Promise<number> {
  const stat = await readFile('/proc/stat', 'utf8');
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = (stat.split('\n')[0] ?? '')
    .split(/\s+/)
    .slice(1)
    .map(Number);
  return (user + nice + system + irq + softirq) / TICKS;
}

/** A row for each of what the other user does: p50 and p99 of each phase, and by how much they are those of the first. */
export function latencyRows(phases: Readonly<Record<string, Seen | null>>): string[] {
  const names = Object.entries(phases).filter((entry): entry is [string, Seen] => entry[1] !== null);
  const calm = names[0]?.[1].times;
  return (['submit', 'read', 'list', 'run'] as const).map((kind) => {
    const each = names.map(([name, { times }]) => {
      const [p50, p99] = [quantile(times[kind], 0.5), quantile(times[kind], 0.99)];
      if (calm === times || !calm) return `${name} ${ms(p50)} / ${ms(p99)} ms`;
      const [by50, by99] = [p50 / quantile(calm[kind], 0.5), p99 / quantile(calm[kind], 0.99)];
      return `${name} ${ms(p50)} / ${ms(p99)} (× ${by50.toFixed(1)} / ${by99.toFixed(1)})`;
    });
    return `${kind.padEnd(6)} ${each.join('; ')}`;
  });
}

const ms = (value: number): string => value.toFixed(value < 100 ? 1 : 0);
