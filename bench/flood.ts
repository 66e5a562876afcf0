// What a flood by one user costs: memory of every process, and how long another user waits, with the flood and without.
//
// Method. Real processes from `dist`, a real Redis, SQLite, containers; all settings as they come, but for the second
// runner, which keeps 10 MB of output. All on this one machine, with the bench. Of each flood, one after the other on the
// same processes, in one run:
//   calm        the other user works alone: what all else is divided by
//   ½×, 1×, 2×  the flood at half its length, at its whole, at twice that. After each every process is made to collect its
//               garbage (over the inspector) and says what it still holds: heap in use and external memory. What piles up
//               grows by twice as much from 1× to 2× as from ½× to 1×; what is warmed up or bounded levels off
//   load        no flood, but a task that prints nothing and takes as many processors as the flood took more than calm: what
//               is slower here is slower by a busy machine. Of `queue`: the same tasks run, with few that wait
// The other user is a process of its own (bench/flood/other-user.ts): submits a task, reads it, lists the newest 20, and
// beside that runs small tasks on the flooded worker, one at a time. The peak is of resident memory, of Redis what it says
// it uses; looked at four times a second. Floods, at their whole length:
//   output     a task prints 40 MB as fast as it can, kept whole; and 40 MB under the limit of 10 MB
//   burst      a task prints 200,000 short lines
//   readers    50 readers of 30 MB of output who read their first bytes and no more
//   sockets    2,000 sockets of many users, half of them not reading
//   requests   one user has up to 500 requests open, below the limits of rate, on a copy of the API as it comes; and, to
//              compare, on one with REQUESTS_AT_ONCE=0
//   queue      one user submits 4,000 tasks that run one after the other (no bound on these: they are the record)
// `scale` makes all of it smaller or larger.
// Run: npm run build && npx tsx bench/flood.ts [output|burst|readers|sockets|requests|queue|all] [scale]

import { loadavg } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { type Part, startCluster } from '../test/support/cluster.ts';
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
import { type Held, heldOf, INSPECTED } from './flood/heap.ts';
import type { OtherUserPlan } from './flood/other-user.ts';
import { latencyRows, type Seen, watch } from './flood/probe.ts';
import { machineLine } from './machine.ts';

const which = process.argv[2] ?? 'all';
const scale = Number(process.argv[3] ?? 1);
const CALM_MS = 5_000;
/** Of floods that have no end of their own, at their whole length. */
const LAST_MS = 6_000;
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
  /** Its copy of the API has no limit of requests in progress. */
  readonly isUnbounded?: true;
  /** In place of a task that takes processors. */
  readonly load?: (flood: Flood, lastMs: number) => Promise<string>;
}

type SeenAndHeld = Seen & { readonly held: Readonly<Record<string, Held>> };
const inUse = (held: Held | undefined) => (held ? held.heap + held.external : Number.NaN);

const size = (full: number) => Math.max(1, Math.round(full * scale));
const SCENARIOS: readonly Scenario[] = [
  {
    name: 'output whole',
    worker: WHOLE,
    flood: (one, part) => output(one, size(40 * part), WHOLE),
  },
  {
    name: 'output limited',
    worker: LIMITED,
    flood: (one, part) => output(one, size(40 * part), LIMITED),
  },
  { name: 'burst', worker: WHOLE, flood: (one, part) => burst(one, size(200_000 * part), WHOLE) },
  { name: 'readers', worker: WHOLE, flood: (one, part) => readers(one, 50, WHOLE, LAST_MS * part) },
  { name: 'sockets', worker: WHOLE, flood: (one, part) => sockets(one, size(2_000), LAST_MS * part) },
  { name: 'requests', worker: WHOLE, flood: (one, part) => requests(one, 600, LAST_MS * part) },
  {
    name: 'requests unbounded',
    worker: WHOLE,
    isUnbounded: true,
    flood: (one, part) => requests(one, 600, LAST_MS * part),
  },
  {
    name: 'queue',
    worker: WHOLE,
    flood: (one, part) => queue(one, size(4_000 * part), WHOLE),
    load: (one, lastMs) => fewWaiting(one, WHOLE, lastMs),
  },
];

const cluster = await startCluster({
  runners: [
    { id: WHOLE, env: {} },
    { id: LIMITED, env: { LOG_MAX_MB: '10' } },
  ],
  env: INSPECTED,
});

async function tokenOf(username: string): Promise<string> {
  const credentials = { username, password: 'secure123' };
  await cluster.call('POST', '/api/auth/register', credentials);
  return (await cluster.call<{ token: string }>('POST', '/api/auth/login', credentials)).body.token;
}

async function run(scenario: Scenario, on: Flood): Promise<void> {
  if (which !== 'all' && which !== scenario.name.split(' ')[0]) return;
  if (!scenario.isUnbounded) return look(scenario, on, { part: cluster.api, log: 'api' });
  const { part, url } = await cluster.addApi({ REQUESTS_AT_ONCE: '0' });
  try {
    await look(scenario, { ...on, url }, { part, log: `api-${new URL(url).port}` });
  } finally {
    await part.end('SIGTERM');
  }
}

async function look(
  { name, worker, flood, load }: Scenario,
  on: Flood,
  api: { part: Part; log: string },
): Promise<void> {
  const small = {
    docker_image: TEST_IMAGE,
    command: 'echo hello',
    worker,
    cpu_required: 0.25,
    memory_required: 32,
    network: 'none',
  };
  const plan: OtherUserPlan = {
    url: on.url,
    token: on.otherToken,
    waiting: { docker_image: 'nothing:here', worker: 'nowhere', cpu_required: 0.1, memory_required: 16 },
    small,
  };
  const parts = {
    API: api,
    scheduler: { part: cluster.scheduler, log: 'scheduler' },
    runner: { part: cluster.runners[worker === WHOLE ? 0 : 1], log: worker },
  };
  const pids = Object.fromEntries(Object.entries(parts).map(([of, { part }]) => [of, part?.pid]));
  const seen = async (during: () => Promise<string>) => {
    const one = await watch(plan, pids, during);
    const each = Object.entries(parts).map(
      async ([of, { log }]) => [of, await heldOf(`${cluster.dataDir}/${log}.log`)] as const,
    );
    return { ...one, held: Object.fromEntries(await Promise.all(each)) };
  };

  const loadBefore = loadavg()[0] ?? 0;
  const calm = await seen(() => delay(CALM_MS).then(() => ''));
  const few = load ? await seen(() => load(on, CALM_MS)) : null;
  const half = await seen(() => flood(on, 0.5));
  const whole = await seen(() => flood(on, 1));
  const twice = await seen(() => flood(on, 2));
  const cores = Math.min(MOST_CORES, whole.busyCores - calm.busyCores);
  const spun = load || cores < LEAST_CORES ? null : await seen(() => spin(on, cores, worker, CALM_MS));

  const phases = { calm, '½×': half, '1×': whole, '2×': twice, load: few ?? spun };
  const [before, after] = [loadBefore, loadavg()[0] ?? 0].map((value) => value.toFixed(1));
  console.log(`\n${name} (load average before ${before}, after ${after})`);
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
  for (const [phase, one] of Object.entries(phases)) {
    if (one) console.log(`    slowest run, ${phase}: ${one.times.slowest}`);
  }
  const floods: [string, SeenAndHeld][] = [
    ['calm', calm],
    ['½×', half],
    ['1×', whole],
    ['2×', twice],
  ];
  const row = (of: (one: SeenAndHeld) => number) =>
    floods.map(([phase, one]) => `${phase} ${of(one).toFixed(1)}`).join(', ');
  for (const part of Object.keys(parts)) {
    console.log(`  ${part.padEnd(10)} heap + external after GC: ${row(({ held }) => inUse(held[part]))} MB`);
    console.log(`             resident after GC: ${row(({ held }) => held[part]?.resident ?? 0)} MB`);
    console.log(`             resident, peak: ${row(({ peakMb }) => peakMb[part] ?? 0)} MB`);
  }
  console.log(`  Redis      in use, peak: ${row(({ peakMb }) => peakMb.Redis ?? 0)} MB`);
}

try {
  await cluster.signIn('flooder');
  const otherToken = await tokenOf('other');
  const tokens = which === 'all' || which === 'sockets' ? await many(USERS) : [];
  console.log(`${machineLine()}; scale ${scale}`);
  for (const scenario of SCENARIOS) await run(scenario, { cluster, url: cluster.url, tokens, otherToken });
} finally {
  await cluster.stop();
}

async function many(count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let n = 0; n < count; n += 1) tokens.push(await tokenOf(`flooder-${n}`));
  return tokens;
}
