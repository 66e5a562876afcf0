// The network that tasks are on: a bridge of their own, with rules that keep them away from this machine, from Redis and
// the store, and from what else they are not to reach. Keeps the rules while the runner lives, and never says that they
// hold when they may not: then tasks with a network do not start.

import { lookup, resolveSrv } from 'node:dns/promises';
import { AppError, isAppError, messageOf } from '../../errors.ts';
import type { TaskNetwork as NetworkChoice } from '../../model/task.ts';
import type { NetworkServer, TaskNetworkConfig } from '../../platform/config/task-network.ts';
import { withDeadline } from '../../platform/deadline.ts';
import type { Log } from '../../platform/log.ts';
import type { TaskNetworkFacts } from '../../ports/container-runtime.ts';
import { mayUse, NET_ADMIN } from './capabilities.ts';
import { type Connection, WORK_TIMEOUT_MS } from './connection.ts';
import { statusOf } from './errors.ts';
import type { HostCommands } from './host-commands.ts';
import { chainText, isLoopback, networkName } from './network-rules.ts';

const LABEL_NETWORK = 'cloudai.network';
/** What else writes rules (a firewall that is reloaded) may take ours away for so long at most. */
const HOLD_EVERY_MS = 10_000;
const LOOKUP_MS = 5_000;
/** Wait for whoever else changes rules. */
const LOCK = ['-w', '10'];

export interface TaskNetworks {
  /** Prepares it, once; never rejects but with `runtime_unavailable`, or `bad_config` where it is required and cannot be. */
  facts(): Promise<TaskNetworkFacts>;
  /** The engine's network for a task. @throws AppError `runtime_unavailable` while the rules are in doubt */
  modeOf(network: NetworkChoice): Promise<string>;
  /** The engine says that the network is gone: makes it again. */
  restore(): Promise<void>;
  fault(): { readonly since: number; readonly message: string } | null;
  close(): void;
}

export interface TaskNetworkParts {
  readonly connection: Connection;
  readonly config: TaskNetworkConfig;
  readonly commands: HostCommands;
  readonly log: Log;
  readonly holdEveryMs?: number;
}

export function createTaskNetworks(parts: TaskNetworkParts): TaskNetworks {
  const { connection, config, commands, log } = parts;
  const name = networkName(config);
  let opened: Promise<TaskNetworkFacts> | null = null;
  let holding: Promise<void> | null = null;
  let fault: { since: number; message: string } | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;
  const addresses = new Map<string, readonly string[]>();

  const holdOnce = async () => {
    const servers = await lookUpServers(config.servers, addresses, log);
    // Rules first: they may name a bridge that is not there yet, and no task is ever on a bridge without them.
    await commands.run('iptables-restore', ['--noflush', ...LOCK], chainText({ ...config, name, servers }));
    const forward = await forwardChain(commands);
    for (const chain of ['INPUT', forward]) await insertJump(commands, chain, name);
    await makeNetwork(connection, name);
    const links = await commands.run('cat', ['/proc/self/net/dev']);
    if (!links.includes(`${name}:`)) {
      throw new Error(
        'the runner does not see the networks of its engine: a runner in a container needs the network of its machine',
      );
    }
  };

  /** One at a time; whoever asks meanwhile gets the same answer. */
  const hold = () => {
    holding ??= holdOnce().finally(() => {
      holding = null;
    });
    return holding;
  };

  const keepHolding = () => {
    timer = setInterval(() => {
      hold().then(
        () => {
          if (fault) log.info('the rules of the network of tasks are kept again');
          fault = null;
        },
        (error) => {
          if (closed) return;
          // An engine that is away starts nothing and is noticed elsewhere; rules stay when it goes.
          if (isAppError(error, 'runtime_unavailable') && statusOf(error.cause) === null) return;
          if (!fault) log.error({ err: error }, 'the rules of the network of tasks cannot be kept');
          fault = { since: fault?.since ?? performance.now(), message: inDoubt(error) };
        },
      );
    }, parts.holdEveryMs ?? HOLD_EVERY_MS);
    timer.unref();
  };

  const open = async (): Promise<TaskNetworkFacts> => {
    if (config.policy === 'off') return { guarded: false, why: 'TASK_NETWORK_POLICY is off' };
    try {
      const why = await whyNot(connection);
      if (why !== null) throw new Error(why);
      await hold();
    } catch (error) {
      if (isAppError(error, 'runtime_unavailable') && statusOf(error.cause) === null) throw error;
      const why = messageOf(error);
      if (config.policy === 'required') {
        throw new AppError(
          'bad_config',
          `TASK_NETWORK_POLICY is "required", and tasks cannot be kept away from this machine here: ${why}`,
          { cause: error },
        );
      }
      log.warn(
        `tasks are NOT kept away from this machine, Redis, the store and cloud metadata: ${why}. Mend that (docs/DEPLOYMENT.md, "The network of tasks"), or keep them away by other means (docs/SECURITY.md), and set TASK_NETWORK_POLICY=off to silence this`,
      );
      return { guarded: false, why };
    }
    if (!closed) keepHolding();
    return { guarded: true, why: null };
  };

  const facts = () => {
    opened ??= open().catch((error) => {
      opened = null;
      throw error;
    });
    return opened;
  };

  return {
    facts,
    async modeOf(network) {
      if (network === 'none' || !(await facts()).guarded) return network;
      if (fault) throw new AppError('runtime_unavailable', fault.message, { retryable: true });
      return name;
    },
    restore: hold,
    fault: () => fault,
    close() {
      closed = true;
      if (timer) clearInterval(timer);
    },
  };
}

function inDoubt(error: unknown): string {
  return `the rules that keep tasks away from the machine cannot be kept: ${messageOf(error)}`;
}

/** What can be known without trying. */
async function whyNot({ isLocal }: Connection): Promise<string | null> {
  if (process.platform !== 'linux') return 'that needs Linux';
  if (!isLocal) return 'the engine is on another machine (DOCKER_HOST)';
  if (!(await mayUse(NET_ADMIN))) return 'the runner may not write rules (it lacks the capability NET_ADMIN)';
  return null;
}

/** Docker's own place for rules of others, which it keeps before its own; an engine that makes no rules has none. */
async function forwardChain(commands: HostCommands): Promise<string> {
  return (await holds(commands, ['-n', '-L', 'DOCKER-USER'])) ? 'DOCKER-USER' : 'FORWARD';
}

async function insertJump(commands: HostCommands, chain: string, name: string): Promise<void> {
  const jump = ['-i', name, '-j', name];
  if (!(await holds(commands, ['-C', chain, ...jump])))
    await commands.run('iptables', [...LOCK, '-I', chain, '1', ...jump]);
}

async function makeNetwork(connection: Connection, name: string): Promise<void> {
  const { docker } = connection;
  const isThere = async () => {
    try {
      await connection.ask('look at the network of tasks', WORK_TIMEOUT_MS, () =>
        docker.getNetwork(name).inspect(),
      );
      return true;
    } catch (error) {
      if (isAppError(error, 'not_found')) return false;
      throw error;
    }
  };
  if (await isThere()) return;
  try {
    await connection.ask('make the network of tasks', WORK_TIMEOUT_MS, (abortSignal) =>
      docker.createNetwork({
        Name: name,
        Driver: 'bridge',
        CheckDuplicate: true,
        // The rules are for IPv4; without IPv6 there is nothing to keep tasks away from by it.
        EnableIPv6: false,
        Options: { 'com.docker.network.bridge.name': name },
        Labels: { [LABEL_NETWORK]: name },
        abortSignal,
      }),
    );
  } catch (error) {
    // Another runner on this engine was quicker.
    if (!(await isThere())) throw error;
  }
}

/** Of what cannot be looked up now the addresses of the last time hold. */
async function lookUpServers(
  servers: readonly NetworkServer[],
  known: Map<string, readonly string[]>,
  log: Log,
): Promise<{ address: string; port: number }[]> {
  const named = (await Promise.all(servers.map(membersOf))).flat();
  const found = await Promise.all(
    named
      .filter(({ host }) => !isLoopback(host))
      .map(async ({ host, port }) => {
        try {
          const all = await soon(lookup(host, { all: true, family: 4 }));
          known.set(host, all.map(({ address }) => address).sort());
        } catch (error) {
          // Without IPv4 tasks cannot reach it.
          const hasNone = (error as NodeJS.ErrnoException).code === 'ENOTFOUND';
          if (!hasNone && !known.has(host)) throw error;
          log.debug({ err: error, host }, 'a server that tasks must not reach cannot be looked up');
        }
        return (known.get(host) ?? []).map((address) => ({ address, port }));
      }),
  );
  return found.flat();
}

async function membersOf(server: NetworkServer): Promise<{ host: string; port: number }[]> {
  if (server.service === null) return [server];
  const members = await soon(resolveSrv(`_${server.service}._tcp.${server.host}`)).catch(() => []);
  return members.map(({ name, port }) => ({ host: name, port }));
}

function soon<T>(work: Promise<T>): Promise<T> {
  return withDeadline(work, LOOKUP_MS, () => new Error('no answer in time'));
}

/** Whether iptables says yes: the rule or chain is there, or was there to be taken away. */
function holds(commands: HostCommands, args: readonly string[]): Promise<boolean> {
  return commands.run('iptables', [...LOCK, ...args]).then(
    () => true,
    () => false,
  );
}

/**
 * Takes networks that no container is on, and their rules, off this machine; those of runners that still live come back by
 * themselves. Returns the names of what is gone and of what is in use.
 */
export async function removeTaskNetworks(
  connection: Connection,
  commands: HostCommands,
): Promise<{ removed: string[]; used: string[] }> {
  const { docker } = connection;
  const found = await connection.ask('list networks', WORK_TIMEOUT_MS, () =>
    docker.listNetworks({ filters: { label: [LABEL_NETWORK] } }),
  );
  const removed: string[] = [];
  const used: string[] = [];
  for (const { Name: name } of found) {
    const { Containers } = await connection.ask('look at a network', WORK_TIMEOUT_MS, () =>
      docker.getNetwork(name).inspect(),
    );
    if (Object.keys(Containers ?? {}).length > 0) {
      used.push(name);
      continue;
    }
    await connection.ask('remove a network', WORK_TIMEOUT_MS, () => docker.getNetwork(name).remove());
    for (const chain of ['INPUT', 'FORWARD', 'DOCKER-USER']) {
      while (await holds(commands, ['-D', chain, '-i', name, '-j', name]));
    }
    for (const how of ['-F', '-X']) await holds(commands, [how, name]);
    removed.push(name);
  }
  return { removed, used };
}
