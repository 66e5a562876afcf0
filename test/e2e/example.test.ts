// docs/EXAMPLE.md is true: each of its blocks is typed into a real shell against a real cluster, in order, and what is
// answered is what it shows.
//
// UPDATE_EXAMPLE=1 writes what is answered into the document where it is not the same; read the difference before you
// keep it. Ids, times, dates and gaps between columns may differ (transcript-match.ts). A comment right above a block says
// what else the test has to know, and why (transcript.ts):
//
//   <!-- typed, not shown: secure123 -->    answers to questions that do not show them
//   <!-- typed again: why -->               a person would look again: until it is as shown
//   <!-- figures differ: why -->            all figures and bars may differ
//   <!-- not run: why -->                   only shown
//   <!-- slow: why -->                      typed with WHOLE_EXAMPLE=1 or UPDATE_EXAMPLE=1 alone

import { chmod, mkdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Cluster, freePort, Part, startCluster } from '../support/cluster.ts';
import { TEST_IMAGE, uniqueName } from '../support/servers.ts';
import { type Block, readTranscript, type Step, withAnswers } from '../support/transcript.ts';
import { type Compared, Names } from '../support/transcript-match.ts';
import { type TypedProgram, TypedShell } from '../support/typed-shell.ts';

const root = resolve(import.meta.dirname, '../..');
const file = `${root}/docs/EXAMPLE.md`;
const document = await readFile(file, 'utf8');
const transcript = readTranscript(document);
const isUpdate = process.env.UPDATE_EXAMPLE === '1';
const isWhole = isUpdate || process.env.WHOLE_EXAMPLE === '1';
const SLOW_DEADLINE_MS = 900_000;
const limits = isWhole ? { timeout: SLOW_DEADLINE_MS } : {};

/** As long as the document's own, so that tables look alike; containers of a worker's name are its own on a machine. */
const machine = uniqueName('w').slice(0, 6);
const clusterToken = uniqueName('cluster-token-of-the-example-');
/** The machines of the document have this much, whatever this one has; nobody waits for long. */
const settings = {
  WORKER_CPUS: '2',
  WORKER_MEMORY_MB: '8192',
  WORKER_STORAGE_MB: '20480',
  USAGE_SAMPLE_SECONDS: '0.5',
  STOP_GRACE_SECONDS: '1',
};

/** For what is typed again. */
const AGAIN_DEADLINE_MS = 20_000;

let cluster: Cluster;
let waiting: Part;
let shell: TypedShell;
let names: Names;
const rewritten = new Map<number, readonly string[]>();

beforeAll(async () => {
  cluster = await startCluster({
    runners: [{ id: `${machine}-1`, env: settings }],
    env: { CLUSTER_TOKEN: clusterToken },
  });
  // As `npm start` does.
  await cluster.signIn('admin');
  const first = await cluster.submit({
    docker_image: TEST_IMAGE,
    command: 'echo hello',
    memory_required: 64,
  });
  await cluster.ended(first.task_id);
  const address = `127.0.0.1:${await freePort()}`;
  const docker = process.env.DOCKER_HOST ? { DOCKER_HOST: process.env.DOCKER_HOST } : {};
  const second = `${cluster.dataDir}/second`;
  waiting = new Part(
    'runner',
    {
      ...settings,
      ...docker,
      WORKER_GPUS: '2',
      CLUSTER_TOKEN: clusterToken,
      RUNNER_LISTEN: address,
      DATA_DIR: second,
    },
    `${second}.log`,
    ['--wait'],
  );
  waiting.start();
  const home = `${cluster.dataDir}/home`;
  const bin = `${cluster.dataDir}/bin`;
  const url = cluster.url.replace('127.0.0.1', 'localhost');
  names = new Names([
    { shown: 'http://localhost:8080', here: url },
    { shown: '127.0.0.1:50052', here: address },
    { shown: 'http://localhost:8081', here: `http://localhost:${await freePort()}` },
    { shown: '/home/alice', here: home },
    { shown: 'worker-1', here: `${machine}-1` },
    { shown: 'worker-2', here: `${machine}-2` },
  ]);
  await mkdir(home);
  await mkdir(bin);
  await writeFile(
    `${bin}/cloudai`,
    `#!/bin/sh\nexec "${process.execPath}" "${root}/dist/cli/main.js" "$@"\n`,
  );
  await chmod(`${bin}/cloudai`, 0o755);
  shell = await TypedShell.open({
    cwd: home,
    ...(isWhole ? { deadlineMs: SLOW_DEADLINE_MS } : {}),
    env: {
      HOME: home,
      XDG_CONFIG_HOME: `${home}/.config`,
      PATH: `${bin}:${dirname(process.execPath)}:${process.env.PATH}`,
      CLOUDAI_URL: url,
    },
  });
});

afterAll(async () => {
  shell?.close();
  await waiting?.end('SIGTERM');
  await cluster?.stop();
  if (isUpdate && rewritten.size > 0) await writeFile(file, withAnswers(document, rewritten));
});

describe('docs/EXAMPLE.md', () => {
  // What follows a block that is not as shown has nothing to stand on.
  let isBroken = false;

  for (const block of transcript.blocks) {
    it(`line ${block.line}: ${block.steps[0]?.typed[0]}`, limits, async ({ skip }) => {
      if (block.slow !== null && !isWhole) skip(block.slow);
      if (isBroken) skip('a block above is not as shown');
      isBroken = true;
      await play(block);
      isBroken = false;
    });
  }

  it('leaves hardly anything out', () => {
    expect(transcript.leftOut.length).toBeLessThanOrEqual(2);
    expect(transcript.blocks.filter(({ slow }) => slow !== null).length).toBeLessThanOrEqual(3);
    expect(transcript.blocks.length).toBeGreaterThan(20);
  });
});

async function play(block: Block): Promise<void> {
  let program: TypedProgram | null = null;
  for (const [index, step] of block.steps.entries()) {
    const typed = step.typed.map((line) => names.typed(line));
    const opens = step.sign === '$ ' && block.steps[index + 1]?.sign === 'master> ';
    if (step.sign === 'master> ' && program) {
      check(block, step, await program.run(typed[0] ?? ''));
    } else if (opens) {
      program = await shell.open(typed, 'master> ');
      check(block, step, program.greeting);
    } else {
      let seen = await shell.run(typed, block.hidden);
      const end = performance.now() + AGAIN_DEADLINE_MS;
      while (block.again !== null && !compare(block, step, seen).same && performance.now() < end) {
        seen = await shell.run(typed);
      }
      check(block, step, seen);
    }
  }
}

function compare(block: Block, step: Step, seen: readonly string[]): Compared {
  return names.compare(step.answer, seen, { figures: block.figuresDiffer === null });
}

function check(block: Block, step: Step, seen: readonly string[]): void {
  const compared = compare(block, step, seen);
  if (compared.same) return;
  if (isUpdate) {
    names.adopt(step.answer, seen);
    rewritten.set(
      step.line,
      seen.map((line) => names.asShown(line)),
    );
    return;
  }
  const where = `docs/EXAMPLE.md:${step.line}, "${step.typed[0]}"`;
  expect(compared.seen.join('\n'), where).toBe(compared.shown.join('\n'));
}
