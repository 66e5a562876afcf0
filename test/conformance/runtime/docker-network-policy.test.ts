// What a task can reach over the network, tried from within containers on a host with an engine of its own: the host's
// Redis, a cloud's metadata, the record of the cluster elsewhere, what an admin blocks, and what is nobody's business.

import { type AddressInfo, createServer, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openConnection } from '../../../shared/adapters/docker/connection.ts';
import { hostCommands } from '../../../shared/adapters/docker/host-commands.ts';
import { networkName } from '../../../shared/adapters/docker/network-rules.ts';
import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { removeTaskNetworks } from '../../../shared/adapters/docker/task-network.ts';
import type { TaskNetworkConfig } from '../../../shared/platform/config/task-network.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import type { ContainerRuntime } from '../../../shared/ports/container-runtime.ts';
import type { Host } from '../../support/hosts/host.ts';
import { HostNetwork } from '../../support/hosts/network.ts';
import { ip, whyNoHosts } from '../../support/hosts/programs.ts';
import { uniqueName } from '../../support/servers.ts';
import { waitFor } from '../../support/wait-for.ts';
import { makeContainerSpec, runToEnd } from './runs.ts';

/** Of a machine beyond the host, in the range in which clouds answer. */
const METADATA = '169.254.77.1';
const OFF: TaskNetworkConfig = { policy: 'off', allow: [], block: [], servers: [] };
const ALL = ['blocked', 'elsewhere', 'host', 'metadata', 'record'];
const why = whyNoHosts();

describe.skipIf(why !== null)(`the network of tasks${why === null ? '' : ` (skipped: ${why})`}`, () => {
  let network: HostNetwork;
  let host: Host;
  let targets: Record<string, string>;
  let guarded: TaskNetworkConfig;
  const servers: Server[] = [];
  const runtimes: ContainerRuntime[] = [];

  const serve = async (address = network.address) => {
    const server = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.end('hello');
    });
    servers.push(server);
    await new Promise<void>((done) => server.listen(0, address, done));
    return (server.address() as AddressInfo).port;
  };
  const serveOn = (on: Host) => {
    const program = `require('node:net').createServer((s) => { s.on('error', () => {}); s.end('hello'); }).listen(6379, '0.0.0.0', () => process.send('up'))`;
    const child = on.spawn(process.execPath, ['-e', program], {
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    return new Promise((done) => child.once('message', done));
  };
  const open = async (taskNetwork: TaskNetworkConfig, networkSlots = 0) => {
    const workerId = uniqueName('w-');
    const runtime = await openDockerRuntime({
      dockerHost: host.docker.host,
      log: silentLog(),
      networkSlots,
      workerId,
      taskNetwork,
      commands: hostCommands(host.through),
      holdRulesEveryMs: 200,
    });
    runtimes.push(runtime);
    /** Names of the targets that answer a task. */
    const reached = async () => {
      const tries = Object.entries(targets).map(
        ([name, at]) => `nc -w 3 ${at} </dev/null | sed s/hello/${name}/`,
      );
      const command = `(${tries.join(' & ')} & wait) 2>/dev/null | sed 's/$/\\n/'`;
      const { id, ear } = await runToEnd(
        runtime,
        makeContainerSpec(workerId, { network: 'bridge', command }),
      );
      await runtime.remove(id);
      const names = Object.keys(targets).join('|');
      return [...ear.stdout.matchAll(new RegExp(names, 'g'))].map(([name]) => name).sort();
    };
    return { runtime, workerId, reached };
  };
  /** Ours alone: the engine's own change places with each start. */
  const rules = async () => {
    const all = await hostCommands(host.through).run('iptables', ['-S']);
    return all
      .split('\n')
      .filter((rule) => /^-[NA] (cloudai-|\S+ -i cloudai-\S+ -j cloudai-)/.test(rule))
      .join('\n');
  };

  beforeAll(async () => {
    network = await HostNetwork.open();
    host = await network.add({ docker: true });
    await ip('addr', 'add', `${METADATA}/32`, 'dev', host.name.replace(/-\d+$/, ''));
    await ip('-n', host.name, 'route', 'add', METADATA, 'via', network.address);
    const [elsewhere, record, blocked] = await Promise.all([serve(), serve(), serve()]);
    const metadata = await serve(METADATA);
    await serveOn(host);
    targets = {
      host: `${host.address} 6379`,
      metadata: `${METADATA} ${metadata}`,
      elsewhere: `${network.address} ${elsewhere}`,
      record: `${network.address} ${record}`,
      blocked: `${network.address} ${blocked}`,
    };
    guarded = {
      policy: 'required',
      allow: [],
      block: [{ cidr: `${network.address}/32`, port: blocked }],
      servers: [{ host: network.address, port: record, service: null }],
    };
  }, 120_000);
  afterAll(async () => {
    await Promise.all(runtimes.map((runtime) => runtime.close()));
    await network?.remove();
    for (const server of servers) server.close();
  });

  it('is all that the machine reaches when it is off', async () => {
    const { runtime, reached } = await open(OFF);
    expect((await runtime.info()).taskNetwork).toMatchObject({ guarded: false });
    expect(await reached()).toEqual(ALL);
  });

  it.each([0, 1])('keeps tasks to what they may reach, with %i network slots', async (slots) => {
    const { runtime, workerId, reached } = await open(guarded, slots);
    expect((await runtime.info()).taskNetwork).toEqual({ guarded: true, why: null });
    await runtime.list(workerId);
    if (slots > 0) {
      const filters = { label: ['cloudai.slot', `cloudai.worker=${workerId}`] };
      await waitFor(async () => (await host.docker.client.listContainers({ filters })).length === slots, {
        what: 'a warm slot',
        deadlineMs: 30_000,
      });
    }
    expect(await reached()).toEqual(['elsewhere']);
  });

  it('opens what an admin allows, but never the record', async () => {
    const allow = [
      { cidr: `${METADATA}/32`, port: null },
      { cidr: `${host.address}/32`, port: 6379 },
      { cidr: `${network.address}/32`, port: null },
    ];
    const { reached } = await open({ ...guarded, allow });
    expect(await reached()).toEqual(['blocked', 'elsewhere', 'host', 'metadata']);
  });

  it('has its rules once, after an engine that was killed, and again after they were flushed', async () => {
    const { runtime, reached } = await open(guarded);
    await runtime.info();
    const before = await rules();
    const name = networkName(guarded);
    expect(before.match(new RegExp(`^-A INPUT -i ${name} -j ${name}$`, 'gm'))).toHaveLength(1);
    expect(before.match(new RegExp(`^-A DOCKER-USER -i ${name} -j ${name}$`, 'gm'))).toHaveLength(1);
    await host.docker.restart();
    expect(await reached()).toEqual(['elsewhere']);
    expect(await rules()).toBe(before);
    await hostCommands(host.through).run('iptables', ['-F']);
    await waitFor(async () => (await rules()).includes(`-A INPUT -i ${name} -j ${name}`), {
      what: 'the rules to be kept again',
    });
  });

  it('is made again when somebody has removed it', async () => {
    const { runtime, workerId } = await open({ ...guarded, allow: [{ cidr: '192.0.2.0/24', port: null }] });
    const spec = makeContainerSpec(workerId, { network: 'bridge' });
    const id = await runtime.create(spec);
    const { HostConfig } = await host.docker.client.getContainer(id).inspect();
    await host.docker.client.getNetwork(HostConfig.NetworkMode ?? '').remove();
    await runtime.start(id);
    expect((await runtime.wait(id)).exitCode).toBe(0);
    await runtime.remove(id);
  });

  it('fails where it is required and cannot be, and says that it is open elsewhere', async () => {
    const run = () => Promise.reject(new Error('there is no iptables'));
    const make = (policy: 'auto' | 'required') =>
      openDockerRuntime({
        dockerHost: host.docker.host,
        log: silentLog(),
        networkSlots: 0,
        workerId: uniqueName('w-'),
        taskNetwork: { ...guarded, policy },
        commands: { run },
      });
    const [required, auto] = [await make('required'), await make('auto')];
    runtimes.push(required, auto);
    await expect(required.info()).rejects.toMatchObject({ code: 'bad_config' });
    expect((await auto.info()).taskNetwork).toEqual({ guarded: false, why: 'there is no iptables' });
  });

  it('goes from the machine without a trace', async () => {
    await Promise.all(runtimes.splice(0).map((runtime) => runtime.close()));
    const connection = openConnection(host.docker.host);
    try {
      const { removed, used } = await removeTaskNetworks(connection, hostCommands(host.through));
      expect(removed).toContain(networkName(guarded));
      expect(used).toEqual([]);
    } finally {
      connection.close();
    }
    expect(await rules()).not.toContain('cloudai-');
    expect(await host.docker.client.listNetworks({ filters: { label: ['cloudai.network'] } })).toEqual([]);
  });
});
