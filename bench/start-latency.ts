// How much later a container starts when it is asked for through CloudAI than by Docker alone, on an idle cluster.
//
// Method: N times, taking turns, dockerode create + start with the same limits and hardening, timed from the call of
// create until the engine's own StartedAt, (a) on the bridge network and (b) in the network namespace of a container
// that is there already, as CloudAI's network slots are; (c) POST /api/tasks, timed from the call until the StartedAt
// of the container. All by one machine's clock. Real processes, Redis, SQLite, one runner with slots.
// Run: npm run build && npx tsx bench/start-latency.ts [N]

import Docker from 'dockerode';
import { startCluster } from '../test/support/cluster.ts';
import { inspectContainer } from '../test/support/containers.ts';
import { TEST_IMAGE } from '../test/support/servers.ts';
import { waitFor } from '../test/support/wait-for.ts';
import { machineLine, quantile } from './machine.ts';

const rounds = Number(process.argv[2] ?? 30);
const docker = new Docker();

async function bare(networkMode: string): Promise<number> {
  const asked = Date.now();
  const container = await docker.createContainer({
    Image: TEST_IMAGE,
    Cmd: ['sleep', '600'],
    HostConfig: {
      NetworkMode: networkMode,
      NanoCpus: 5e8,
      Memory: 64 * 2 ** 20,
      MemorySwap: 64 * 2 ** 20,
      PidsLimit: 1024,
      CapDrop: ['ALL'],
      SecurityOpt: ['no-new-privileges'],
    },
  });
  await container.start();
  const { State } = await container.inspect();
  await container.remove({ force: true });
  return Date.parse(State.StartedAt) - asked;
}

const cluster = await startCluster();
const pause = await docker.createContainer({ Image: TEST_IMAGE, Cmd: ['sleep', '3600'] });
try {
  await pause.start();
  await cluster.signIn('bench');
  const through: number[] = [];
  const bridged: number[] = [];
  const joined: number[] = [];
  for (let n = 0; n < rounds; n += 1) {
    bridged.push(await bare('bridge'));
    joined.push(await bare(`container:${pause.id}`));
    const asked = Date.now();
    const { task_id } = await cluster.submit({
      docker_image: TEST_IMAGE,
      command: ['sleep', '600'],
      cpu_required: 0.5,
      memory_required: 64,
    });
    const task = await cluster.until(task_id, ['running']);
    const id = task.attempts[0]?.container_id ?? '';
    through.push(Date.parse((await inspectContainer(id)).State.StartedAt) - asked);
    await cluster.call('POST', `/api/tasks/${task_id}/cancel`, { force: true });
    await cluster.ended(task_id);
    await waitFor(async () => (await cluster.telemetry()).tasks_by_state.running === 0, {
      what: 'an idle cluster',
    });
  }
  const show = (name: string, values: number[]) =>
    console.log(
      `${name.padEnd(28)} p50 ${quantile(values, 0.5).toFixed(0).padStart(5)} ms   p90 ${quantile(values, 0.9).toFixed(0).padStart(5)} ms`,
    );
  console.log(`${machineLine()}; ${rounds} rounds`);
  show('dockerode, bridge network', bridged);
  show('dockerode, ready namespace', joined);
  show('through CloudAI', through);
  const added = (to: number[]) => (quantile(through, 0.5) - quantile(to, 0.5)).toFixed(0);
  console.log(`added at p50: ${added(joined)} ms to a ready namespace, ${added(bridged)} ms to the bridge`);
} finally {
  await pause.remove({ force: true });
  await cluster.stop();
}
