// What the control plane can do, from the submission of a task to its committed result, without the containers.
//
// Method. Real processes from `dist`, a real Redis, SQLite; tasks of ten owners, all alike in what they need. Every
// figure stands beside a baseline measured in the same run, in turns, and beside processor time per task, which a busy
// machine changes less than tasks a second. Medians of the rounds.
// (a) `placing`: N tasks wait in store and intake queue for 20 workers that take nothing. Counted from the moment the
//     scheduler has loaded them until all are assigned in the store, delivered, and out of the intake queue. Baseline:
//     BullMQ's `addBulk` to 20 queues and `remove` from one, in batches of 1,000, in one process.
// (b) `path`: API, scheduler, two runners with the scripted runtime, a process each; N tasks of no run time submitted over
//     HTTP in batches of 100 by four senders, until the last result is committed. Baseline: one process that inserts,
//     calls `queue.add`, and whose Worker commits at once.
// (c) `waiting`: a million tasks that fit nowhere; time until the scheduler places, and until it knows of all; memory and
//     processor time until then, and how soon a new task that fits is placed. Baseline: the same with a thousand.
// (d) `failover`: two schedulers with default leases; the leader gets SIGKILL when it has placed a tenth.
// Run: npm run build && npx tsx bench/control-plane.ts [placing|path|waiting|failover|all] [N] [rounds] [database]
// `database` is for `waiting`: a file that keeps its million tasks for the next run.

import { killLeader } from './control-plane/failover.ts';
import { leadMany } from './control-plane/many-waiting.ts';
import { moveBare, placeAll } from './control-plane/placing.ts';
import { barePath, wholePath } from './control-plane/whole-path.ts';
import { machineLine, quantile } from './machine.ts';

const [which = 'all', size, roundsText = '3', kept] = process.argv.slice(2);
const rounds = Number(roundsText);
const median = (values: readonly number[]) => quantile(values, 0.5);
const isWanted = (name: string) => which === 'all' || which === name;
const rate = (value: number) => `${Math.round(value).toLocaleString('en')} tasks/s`;

async function placing(count: number): Promise<void> {
  const [bare, ours] = [[], []] as Awaited<ReturnType<typeof placeAll>>[][];
  for (let round = 0; round < rounds; round += 1) {
    bare?.push(await moveBare(count));
    ours?.push(await placeAll(count));
  }
  console.log(`\n(a) ${count} waiting tasks placed on 20 workers`);
  for (const [name, all] of Object.entries({ 'bare BullMQ': bare ?? [], scheduler: ours ?? [] })) {
    const perSecond = median(all.map(({ tasksPerSecond }) => tasksPerSecond));
    const cpu = median(all.map(({ cpuMsPerTask }) => cpuMsPerTask));
    console.log(`${name.padEnd(14)}${rate(perSecond).padStart(16)}   ${cpu.toFixed(3)} ms cpu/task`);
  }
}

async function path(count: number): Promise<void> {
  console.log(`\n(b) ${count} tasks from HTTP to the committed result`);
  for (let round = 0; round < rounds; round += 1) {
    for (const [name, one] of [
      ['bare', await barePath(count)],
      ['cluster', await wholePath(count, 100)],
    ] as const) {
      const costs = Object.entries(one.cpuMsPerTask);
      const all = costs.reduce((sum, [, cpu]) => sum + cpu, 0);
      const each = costs.map(([part, cpu]) => `${part} ${cpu.toFixed(3)}`).join(', ');
      console.log(
        `${name.padEnd(10)}${rate(one.tasksPerSecond).padStart(16)}   ${all.toFixed(3)} ms cpu/task (${each})`,
      );
    }
  }
}

async function waiting(count: number): Promise<void> {
  console.log('\n(c) a leader with tasks that wait');
  for (const [many, database] of [
    [1_000, undefined],
    [count, kept],
  ] as const) {
    const seen = await leadMany(many, database);
    console.log(
      `${seen.waiting.toLocaleString('en').padStart(10)} waiting: places after ${seen.leadMs} ms, knows all after ${(seen.allMs / 1_000).toFixed(1)} s, ${seen.cpuSeconds.toFixed(1)} s cpu, ` +
        `${seen.memoryMb.toFixed(0)} MB; a new task that fits is placed in ${seen.placeMs.toFixed(1)} ms`,
    );
  }
}

async function failover(count: number): Promise<void> {
  console.log(`\n(d) the leader of ${count} placements is killed`);
  for (let round = 0; round < rounds; round += 1) {
    const seen = await killLeader(count);
    console.log(
      `${seen.before} placed before; the other places after ${(seen.gapMs / 1_000).toFixed(1)} s; ${seen.placed} placed in all, ` +
        `${seen.uneven} without exactly one attempt, ${seen.strayDeliveries} deliveries too many or missing`,
    );
  }
}

console.log(`${machineLine()}; ${rounds} rounds`);
if (isWanted('placing')) await placing(Number(size ?? 20_000));
if (isWanted('path')) await path(Number(size ?? 5_000));
if (isWanted('waiting')) await waiting(Number(size ?? 1_000_000));
if (isWanted('failover')) await failover(Number(size ?? 20_000));
