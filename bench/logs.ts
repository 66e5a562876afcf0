// How fast the output of a task reaches one who follows it, against Docker's own log of a container that prints the
// same, and what that costs the API and the runner.
//
// Method: N times, taking turns, a container with the same command and limits prints 200 MB (2,000,000 lines of 100
// bytes) as fast as it can. (a) `docker logs --follow` from its start on, timed from the engine's StartedAt until the
// command ends; (b) plain `docker logs` of the ended container, timed from call to end; (c) the same as a task:
// `curl -N …/logs?follow=true`, timed from the container's start in the record until curl ends. What is read is counted
// and thrown away; engines up to version 22 end (a) before all was given when the container ends first, so the rate is
// of what came. Real processes, Redis, SQLite, output on disk. Memory and processor time of the API and the runner are
// read from /proc; `peak` is the highest of looks 100 ms apart during (c).
// Run: npm run build && npx tsx bench/logs.ts [N] [MB]

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import Docker from 'dockerode';
import { type Part, startCluster } from '../test/support/cluster.ts';
import { TEST_IMAGE } from '../test/support/servers.ts';
import { machineLine, quantile } from './machine.ts';

const rounds = Number(process.argv[2] ?? 3);
const bytes = Number(process.argv[3] ?? 200) * 1_000_000;
const line =
  'The quick brown fox jumps over the lazy dog, again and again, until a hundred bytes are full: 0123.';
const command = `yes '${line}' | head -c ${bytes}`;
const docker = new Docker();

interface Read {
  readonly bytes: number;
  readonly endedAt: number;
}

/** Runs a command and counts what it prints. */
function count(program: string, args: readonly string[]): Promise<Read> {
  return new Promise((done, fail) => {
    const child = spawn(program, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    let seen = 0;
    child.stdout.on('data', (chunk: Buffer) => {
      seen += chunk.length;
    });
    child.once('error', fail);
    child.once('close', () => done({ bytes: seen, endedAt: Date.now() }));
  });
}

/** MB per second, and what share of the output came. */
interface Rate {
  readonly mbPerSecond: number;
  readonly share: number;
}

const rateOf = (read: Read, startedAt: number): Rate => ({
  mbPerSecond: read.bytes / 1_000 / (read.endedAt - startedAt),
  share: read.bytes / bytes,
});

async function byDocker(): Promise<{ followed: Rate; plain: Rate }> {
  const container = await docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: ['/bin/sh', '-c', command],
    HostConfig: { NetworkMode: 'none', NanoCpus: 1e9, Memory: 64 * 2 ** 20, PidsLimit: 1024 },
  });
  try {
    await container.start();
    const read = await count('docker', ['logs', '--follow', container.id]);
    const { State } = await container.inspect();
    const followed = rateOf(read, Date.parse(State.StartedAt));
    await container.wait();
    const asked = Date.now();
    return { followed, plain: rateOf(await count('docker', ['logs', container.id]), asked) };
  } finally {
    await container.remove({ force: true });
  }
}

/** Resident memory in MB. */
function memoryOf(part: Part): number {
  const status = readFileSync(`/proc/${part.pid}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1]) / 1_024;
}

/** Processor seconds so far. */
function cpuOf(part: Part): number {
  const [, fields = ''] = readFileSync(`/proc/${part.pid}/stat`, 'utf8').split(') ');
  const [user = 0, system = 0] = fields.split(' ').slice(11, 13).map(Number);
  return (user + system) / 100;
}

const cluster = await startCluster();
const parts = { API: cluster.api, runner: cluster.runners[0] as Part };
const use = Object.entries(parts).map(([name, part]) => ({ name, part, peak: 0, before: 0, cpu: 0 }));
try {
  await cluster.signIn('bench');
  const rates = { followed: [] as Rate[], plain: [] as Rate[], through: [] as Rate[] };

  const byTask = async (): Promise<Rate> => {
    const { task_id: id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      command,
      cpu_required: 1,
      memory_required: 64,
      network: 'none',
    });
    const looks = setInterval(() => {
      for (const one of use) one.peak = Math.max(one.peak, memoryOf(one.part));
    }, 100);
    const read = await count(process.env.CURL_PATH ?? 'curl', [
      ...['--silent', '--no-buffer', '--header', `Authorization: Bearer ${cluster.token}`],
      `${cluster.url}/api/tasks/${id}/logs?follow=true`,
    ]);
    clearInterval(looks);
    const task = await cluster.ended(id);
    if (read.bytes !== bytes) throw new Error(`${read.bytes} of ${bytes} bytes came: ${task.message}`);
    return rateOf(read, Date.parse(task.started_at ?? ''));
  };

  await byTask();
  for (const one of use) {
    one.before = memoryOf(one.part);
    one.cpu = cpuOf(one.part);
    one.peak = 0;
  }
  for (let n = 0; n < rounds; n += 1) {
    const { followed, plain } = await byDocker();
    rates.followed.push(followed);
    rates.plain.push(plain);
    rates.through.push(await byTask());
  }

  const median = (some: readonly Rate[]) =>
    quantile(
      some.map(({ mbPerSecond }) => mbPerSecond),
      0.5,
    );
  const show = (name: string, some: readonly Rate[]) => {
    const share = Math.min(...some.map((one) => one.share));
    const all = some.map(({ mbPerSecond }) => mbPerSecond.toFixed(1)).join(' ');
    console.log(
      `${name.padEnd(24)} ${median(some).toFixed(1).padStart(6)} MB/s  (${all})${share < 1 ? `, as little as ${(share * 100).toFixed(0)}% came` : ''}`,
    );
  };
  console.log(`${machineLine()}; ${rounds} rounds of ${bytes / 1_000_000} MB; one unmeasured round before`);
  show('docker logs --follow', rates.followed);
  show('docker logs', rates.plain);
  show('followed through CloudAI', rates.through);
  const ratio = (to: readonly Rate[]) => (median(rates.through) / median(to)).toFixed(2);
  console.log(
    `ratio: ${ratio(rates.followed)} to docker logs --follow, ${ratio(rates.plain)} to docker logs`,
  );
  for (const { name, part, before, peak, cpu } of use) {
    const spent = (cpuOf(part) - cpu) / rounds;
    console.log(
      `${name.padEnd(8)} ${before.toFixed(0)} MB before, peak ${peak.toFixed(0)} MB, ${memoryOf(part).toFixed(0)} MB after; ` +
        `${spent.toFixed(1)} s of processor time a round`,
    );
  }
} finally {
  await cluster.stop();
}
