// Containers per second of the Docker runtime with network slots, beside a bare dockerode loop.
//
// Method: three ways to run `true` in a container with the same limits and hardening, `concurrency` at a time, taking
// turns for `rounds` rounds of `count` containers each, so that all see the same machine:
//   bare, bridge   dockerode: create, start, wait, remove on the default bridge
//   bare, slots    the same calls, each lane in the network namespace of a pause container of its own
//   runtime        this project's runtime: ensureImage, create, attach, start, wait, output to its end, files, remove;
//                  with slots, and a folder for files in each container, which the bare loops do without
// The ratio is taken within each round; the median of the rounds counts.
// Run: npx tsx bench/containers/throughput.ts [--count 40] [--rounds 5] [--concurrency 8] [--json]

import { parseArgs } from 'node:util';
import Docker from 'dockerode';
import { containerSettings } from '../../shared/adapters/docker/container-settings.ts';
import { type EngineDescription, readFacts } from '../../shared/adapters/docker/engine-facts.ts';
import { openDockerRuntime } from '../../shared/adapters/docker/open.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { ContainerSpec } from '../../shared/ports/container-runtime.ts';
import { TEST_IMAGE, uniqueName } from '../../test/support/servers.ts';
import { waitFor } from '../../test/support/wait-for.ts';
import { machineLine, quantile } from '../machine.ts';

const { values: options } = parseArgs({
  options: {
    count: { type: 'string', default: '40' },
    rounds: { type: 'string', default: '5' },
    concurrency: { type: 'string', default: '8' },
    json: { type: 'boolean', default: false },
  },
});
const count = Number(options.count);
const rounds = Number(options.rounds);
const concurrency = Number(options.concurrency);

const docker = new Docker();
const workerId = uniqueName('bench-');
const facts = readFacts((await docker.info()) as EngineDescription);
let serial = 0;

function nextSpec(): ContainerSpec {
  serial += 1;
  return {
    taskId: `${workerId}-${serial}`,
    attempt: 1,
    workerId,
    ownerId: 'bench',
    image: TEST_IMAGE,
    command: ['true'],
    env: {},
    resources: { cpuMillis: 500, memoryMb: 64, gpus: 0, storageMb: 0 },
    gpuIds: [],
    network: 'bridge',
    hasInput: false,
    mounts: [],
    pidsLimit: 1_024,
  };
}

/** Runs `count` lifecycles over `concurrency` lanes and says how many a second that was. */
async function rate(run: (lane: number) => Promise<void>): Promise<number> {
  let left = count;
  const began = performance.now();
  await Promise.all(
    Array.from({ length: concurrency }, async (_, lane) => {
      while (left > 0) {
        left -= 1;
        await run(lane);
      }
    }),
  );
  return count / ((performance.now() - began) / 1_000);
}

async function bare(networkMode: string): Promise<void> {
  const choice = { networkMode, limitStorage: false, logMaxBytes: 2 ** 30 };
  const { HostConfig, ...settings } = containerSettings(nextSpec(), facts, choice);
  const container = await docker.createContainer({ ...settings, HostConfig: { ...HostConfig, Mounts: [] } });
  await container.start();
  const { StatusCode } = await container.wait();
  await container.remove();
  if (StatusCode !== 0) throw new Error(`ended with ${StatusCode}`);
}

const runtime = await openDockerRuntime({
  dockerHost: '',
  log: silentLog(),
  networkSlots: concurrency,
  workerId,
});

async function throughRuntime(): Promise<void> {
  const spec = nextSpec();
  await runtime.ensureImage(spec.image, 'if-missing', {});
  const id = await runtime.create(spec);
  const output = await runtime.attach(id, () => undefined);
  await runtime.start(id);
  const { exitCode } = await runtime.wait(id);
  await output.done;
  for await (const { path } of runtime.readOutput(id)) throw new Error(`nobody wrote ${path}`);
  await runtime.remove(id);
  if (exitCode !== 0) throw new Error(`ended with ${exitCode}`);
}

const pausesOf = async (label: string) =>
  (await docker.listContainers({ filters: { label: ['cloudai.slot', label] } })).map(({ Id }) => Id);

const laneLabel = `${workerId}.lane=1`;
const lanes: string[] = [];
try {
  await runtime.list(workerId);
  await waitFor(async () => (await pausesOf(`cloudai.worker=${workerId}`)).length === concurrency, {
    what: 'warm slots',
    deadlineMs: 60_000,
  });
  // Pause containers of the bench's own: the same image, held by nobody else.
  for (let lane = 0; lane < concurrency; lane += 1) {
    const pause = await docker.createContainer({
      Image: 'cloudai/pause:local',
      Entrypoint: ['/pause'],
      Labels: { [laneLabel.slice(0, -2)]: '1' },
      HostConfig: { NetworkMode: 'bridge' },
    });
    lanes.push(pause.id);
    await pause.start();
  }
  const results: { bareBridge: number; bareSlots: number; runtime: number }[] = [];
  // A round that does not count: files get into memory, connections are made.
  await rate(() => throughRuntime());
  for (let round = 0; round < rounds; round += 1) {
    const bareBridge = await rate(() => bare('bridge'));
    const bareSlots = await rate((lane) => bare(`container:${lanes[lane]}`));
    const ours = await rate(() => throughRuntime());
    results.push({ bareBridge, bareSlots, runtime: ours });
  }
  const median = (pick: (result: (typeof results)[number]) => number) => quantile(results.map(pick), 0.5);
  const report = {
    machine: machineLine(),
    method: { count, rounds, concurrency, image: TEST_IMAGE, command: 'true' },
    containersPerSecond: {
      bareBridge: median((one) => one.bareBridge),
      bareSlots: median((one) => one.bareSlots),
      runtime: median((one) => one.runtime),
    },
    ratio: {
      runtimeToBareBridge: median((one) => one.runtime / one.bareBridge),
      runtimeToBareSlots: median((one) => one.runtime / one.bareSlots),
    },
    rounds: results,
  };
  if (options.json) console.log(JSON.stringify(report, null, 2));
  else {
    const { containersPerSecond: rates, ratio } = report;
    console.log(
      `${report.machine}; ${rounds} rounds of ${count} containers, ${concurrency} at a time; medians`,
    );
    const row = (name: string, value: number, note: string) =>
      console.log(`${name.padEnd(24)} ${value.toFixed(1).padStart(6)}/s   ${note}`);
    row('bare dockerode, bridge', rates.bareBridge, '1.00 ×');
    row('bare dockerode, slots', rates.bareSlots, `${(rates.bareSlots / rates.bareBridge).toFixed(2)} ×`);
    row(
      'runtime, slots',
      rates.runtime,
      `${ratio.runtimeToBareBridge.toFixed(2)} × bridge, ${ratio.runtimeToBareSlots.toFixed(2)} × slots`,
    );
  }
} finally {
  for (const id of lanes) await docker.getContainer(id).remove({ force: true });
  await runtime.close();
}
