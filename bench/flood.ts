// What a flood by one user costs: memory of every process, and how long another user waits, with the flood and without.
//
// Method. Real processes from `dist`, a real Redis, SQLite, containers; all settings as they come, but for the second
// runner, which keeps 10 MB of output. All on this one machine, with the bench. Of each flood, one after the other on the
// same processes, in one run:
//   calm     the other user works alone: what all else is divided by
//   1×, 2×   the flood at half its length, then at its whole. What is bounded has the same peak of memory in both; what
//            piles up has twice the growth. The first of a kind also warms up what was never used before, so read 2× against 1×
//   load     no flood, but a task that prints nothing and takes as many processors as the flood took more than calm: what is
//            slower here is slower by a busy machine. Of `queue`: the same tasks run, with few that wait
//   after    memory a few seconds later; V8 gives back late, so it is seldom that of before
// The other user is a process of its own (bench/flood/other-user.ts): submits a task, reads it, lists the newest 20, and
// beside that runs small tasks on the flooded worker, one at a time. Memory is resident, of Redis what it says it uses;
// looked at four times a second. Floods, at their whole length:
//   output     a task prints 1 GB as fast as it can, kept whole; and 500 MB under the limit of 10 MB
//   burst      a task prints a million short lines
//   readers    50 readers of 30 MB of output who read their first bytes and no more
//   sockets    2,000 sockets of many users, half of them not reading
//   requests   one user makes 1,000 requests a second, reads and writes by turns
//   queue      one user submits 100,000 tasks that run one after the other (no bound on these: they are the record)
// `scale` makes all of it smaller: 0.05 runs in a few minutes on a busy machine.
// Run: npm run build && npx tsx bench/flood.ts [output|burst|readers|sockets|requests|queue|all] [scale]

import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../test/support/cluster.ts';
import { TEST_IMAGE } from '../test/support/servers.ts';
import {
  burst,
  type Flood,
  fewWaiting,
  output,
  queue,
  readers,
  requests,
  sockets,
  spin,
} from './flood/floods.ts';
import type { OtherUserPlan } from './flood/other-user.ts';
import { latencyRows, memoryNow, type Seen, watch } from './flood/probe.ts';
import { machineLine } from './machine.ts';

const which = process.argv[2] ?? 'all';
const scale = Number(process.argv[3] ?? 1);
const CALM_MS = 8_000;
const REST_MS = 3_000;
/** Of floods that have no end of their own, at their whole length. */
const LAST_MS = 16_000;
/** Each may have 100 sockets. */
const USERS = 12;
const WHOLE = 'w-whole';
const LIMITED = 'w-limited';
/** Of processors that a task may have here: below, the load is told as none. */
const [LEAST_CORES, MOST_CORES] = [0.1, 1.5];

interface Scenario {
  readonly name: string;
  readonly worker: string;
  /** @param part of its whole length or size */
  readonly flood: (flood: Flood, part: number) => Promise<string>;
  /** In place of a task that takes processors. */
  readonly load?: (flood: Flood, lastMs: number) => Promise<string>;
}

const size = (full: number) => Math.max(1, Math.round(full * scale));
const SCENARIOS: readonly Scenario[] = [
  {
    name: 'output whole',
    worker: WHOLE,
    flood: (one, part) => output(one, size(1_000 * part), WHOLE),
  },
  {
    name: 'output limited',
    worker: LIMITED,
    flood: (one, part) => output(one, size(500 * part), LIMITED),
  },
  { name: 'burst', worker: WHOLE, flood: (one, part) => burst(one, size(1_000_000 * part), WHOLE) },
  { name: 'readers', worker: WHOLE, flood: (one, part) => readers(one, 50, WHOLE, LAST_MS * part) },
  { name: 'sockets', worker: WHOLE, flood: (one, part) => sockets(one, size(2_000), LAST_MS * part) },
  { name: 'requests', worker: WHOLE, flood: (one, part) => requests(one, 1_000, LAST_MS * part) },
  {
    name: 'queue',
    worker: WHOLE,
    flood: (one, part) => queue(one, size(100_000 * part), WHOLE),
    load: (one, lastMs) => fewWaiting(one, WHOLE, lastMs),
  },
];

const cluster = await startCluster({
  runners: [
    { id: WHOLE, env: {} },
    { id: LIMITED, env: { LOG_MAX_MB: '10' } },
  ],
});

async function tokenOf(username: string): Promise<string> {
  const credentials = { username, password: 'secure123' };
  await cluster.call('POST', '/api/auth/register', credentials);
  return (await cluster.call<{ token: string }>('POST', '/api/auth/login', credentials)).body.token;
}

async function run({ name, worker, flood, load }: Scenario, on: Flood): Promise<void> {
  if (which !== 'all' && which !== name.split(' ')[0]) return;
  const small = {
    docker_image: TEST_IMAGE,
    command: 'echo hello',
    worker,
    cpu_required: 0.25,
    memory_required: 32,
    network: 'none',
  };
  const plan: OtherUserPlan = {
    url: cluster.url,
    token: on.otherToken,
    waiting: { docker_image: 'nothing:here', worker: 'nowhere', cpu_required: 0.1, memory_required: 16 },
    small,
  };
  const pids = {
    API: cluster.api.pid,
    scheduler: cluster.scheduler.pid,
    runner: cluster.runners[worker === WHOLE ? 0 : 1]?.pid,
  };
  const seen = (during: () => Promise<string>): Promise<Seen> => watch(plan, pids, during);

  const loadBefore = loadavg()[0] ?? 0;
  const calm = await seen(() => delay(CALM_MS).then(() => ''));
  const few = load ? await seen(() => load(on, CALM_MS)) : null;
  const half = await seen(() => flood(on, 0.5));
  const whole = await seen(() => flood(on, 1));
  const cores = Math.min(MOST_CORES, whole.busyCores - calm.busyCores);
  const spun = load || cores < LEAST_CORES ? null : await seen(() => spin(on, cores, worker, CALM_MS));
  await delay(REST_MS);
  const after = await memoryNow(pids);

  const phases = { calm, '1×': half, '2×': whole, load: few ?? spun };
  console.log(`\n${name} (load average before: ${loadBefore.toFixed(1)})`);
  for (const [phase, one] of Object.entries(phases)) {
    if (!one) console.log(`  ${phase.padEnd(5)} none: the flood took no more processors than calm`);
    else {
      const { busyCores, said, times } = one;
      console.log(
        `  ${phase.padEnd(5)} ${busyCores.toFixed(1)} processors busy, ${times.failed} failed. ${said}`,
      );
    }
  }
  console.log('  another user, p50 / p99:');
  for (const row of latencyRows(phases)) console.log(`    ${row}`);
  for (const part of Object.keys(after)) {
    const [c, h, w] = [calm, half, whole].map(({ peakMb }) => (peakMb[part] ?? 0).toFixed(0));
    const rest = (after[part] ?? 0).toFixed(0);
    console.log(`  ${part.padEnd(10)} peak MB: calm ${c}, 1× ${h}, 2× ${w}; after ${rest}`);
  }
}

try {
  await cluster.signIn('flooder');
  const otherToken = await tokenOf('other');
  const tokens = which === 'all' || which === 'sockets' ? await many(USERS) : [];
  console.log(`${machineLine()}; scale ${scale}`);
  for (const scenario of SCENARIOS) await run(scenario, { cluster, tokens, otherToken });
} finally {
  await cluster.stop();
}

async function many(count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let n = 0; n < count; n += 1) tokens.push(await tokenOf(`flooder-${n}`));
  return tokens;
}
