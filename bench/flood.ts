// What a flood by one user costs: memory of every process before, at its peak and after, and how long another user waits
// for a read and a write, with the flood and without.
//
// Method. Real processes from `dist`, a real Redis, SQLite, containers; all settings as they come, but for the second
// runner, which keeps 10 MB of output. Before each flood the other user works alone for ten seconds: that is what the
// latencies during it are divided by. Memory is resident, of Redis what it says it uses; looked at four times a second;
// `after` is ten seconds after the flood. Floods one after the other, on the same processes:
//   output     a task prints MB as fast as it can, once kept whole, once under the limit of 10 MB
//   burst      a task prints a million short lines
//   readers    50 readers of 30 MB of output who read their first bytes and no more
//   sockets    2,000 sockets of many users, half of them not reading
//   requests   one user makes 1,000 requests a second, reads and writes by turns
//   queue      one user submits 100,000 tasks; then another submits one
// `scale` makes all of it smaller: 0.05 runs in a few minutes on a busy machine.
// Run: npm run build && npx tsx bench/flood.ts [output|burst|readers|sockets|requests|queue|all] [scale]

import { setTimeout as delay } from 'node:timers/promises';
import { startCluster } from '../test/support/cluster.ts';
import { burst, type Flood, output, queue, readers, requests, sockets } from './flood/floods.ts';
import { latencyLine, watchMemory, work } from './flood/probe.ts';
import { machineLine } from './machine.ts';

const which = process.argv[2] ?? 'all';
const scale = Number(process.argv[3] ?? 1);
const CALM_MS = 10_000;
/** Each may have 100 sockets. */
const USERS = 12;
const WHOLE = 'w-whole';
const LIMITED = 'w-limited';

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

async function run(name: string, flooding: (flood: Flood) => Promise<string>, flood: Flood): Promise<void> {
  if (which !== 'all' && which !== name.split(' ')[0]) return;
  const worker = async (during: () => Promise<unknown>) => {
    const end = new AbortController();
    const seen = work(cluster.url, flood.otherToken, end.signal);
    await during().finally(() => end.abort());
    return seen;
  };
  const calm = await worker(() => delay(CALM_MS));
  const held = await watchMemory({
    API: cluster.api.pid,
    scheduler: cluster.scheduler.pid,
    runner: cluster.runners[0]?.pid,
    'runner with limit': cluster.runners[1]?.pid,
  });
  let told = '';
  const flooded = await worker(async () => {
    told = await flooding(flood);
  });
  await delay(CALM_MS);
  console.log(`\n${name}: ${told}`);
  console.log(`  the other user: ${latencyLine(calm, flooded)}`);
  for (const [part, { before, peak, after }] of Object.entries(await held())) {
    console.log(`  ${part.padEnd(18)} ${before.toFixed(0)} → ${peak.toFixed(0)} → ${after.toFixed(0)} MB`);
  }
}

try {
  await cluster.signIn('flooder');
  const otherToken = await tokenOf('other');
  const tokens = which === 'all' || which === 'sockets' ? await many(USERS) : [];
  const flood: Flood = { cluster, tokens, otherToken };
  const size = (full: number) => Math.max(1, Math.round(full * scale));
  console.log(`${machineLine()}; scale ${scale}; memory before → peak → after`);
  await run('output whole', (one) => output(one, size(1_000), WHOLE), flood);
  await run('output limited', (one) => output(one, size(1_000), LIMITED), flood);
  await run('burst', (one) => burst(one, size(1_000_000), WHOLE), flood);
  await run('readers', (one) => readers(one, 50, WHOLE), flood);
  await run('sockets', (one) => sockets(one, size(2_000)), flood);
  await run('requests', (one) => requests(one, 1_000), flood);
  await run('queue', (one) => queue(one, size(100_000), WHOLE), flood);
} finally {
  await cluster.stop();
}

async function many(count: number): Promise<string[]> {
  const tokens: string[] = [];
  for (let n = 0; n < count; n += 1) tokens.push(await tokenOf(`flooder-${n}`));
  return tokens;
}
