// The rules of the network that tasks are on, as iptables reads them. Pure; this is where to read what a task may reach.
// One chain for both ways out of that network: to this machine itself (INPUT) and through it (FORWARD). It never accepts
// anything, it only lets pass on to the rules that Docker and the machine's admin have: it cannot open what they close.

import { createHash } from 'node:crypto';
import type { NetworkRange, TaskNetworkConfig } from '../../platform/config/task-network.ts';

/** Where clouds answer with the credentials of the machine, and what else is for one cable alone. */
const LINK_LOCAL = '169.254.0.0/16';

/**
 * Name of network, bridge and chain. Runners on one engine with the same rules share them, others do not disturb each
 * other. Fits the 15 characters that an interface may have.
 */
export function networkName(config: TaskNetworkConfig): string {
  const servers = config.servers.filter(({ host }) => !isLoopback(host));
  const text = JSON.stringify([config.allow, config.block, servers]);
  return `cloudai-${createHash('sha256').update(text).digest('hex').slice(0, 6)}`;
}

/** Tasks have a loopback of their own. */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || host.startsWith('127.');
}

export interface RuleChoice {
  readonly name: string;
  readonly allow: readonly NetworkRange[];
  readonly block: readonly NetworkRange[];
  /** Redis and the store, looked up. */
  readonly servers: readonly { readonly address: string; readonly port: number }[];
}

/**
 * Input for `iptables-restore --noflush`: replaces this chain at one stroke and touches no other. The first rule that fits
 * decides.
 */
export function chainText({ name, allow, block, servers }: RuleChoice): string {
  const at = ({ cidr, port }: NetworkRange) =>
    port === null ? [`-d ${cidr}`] : ['tcp', 'udp'].map((kind) => `-d ${cidr} -p ${kind} --dport ${port}`);
  const rules = [
    // Nobody's allow-list opens the record of the cluster.
    ...servers.map(({ address, port }) => `-d ${address}/32 -p tcp --dport ${port} ${RESET}`),
    // Answers. What a task began is judged when it begins, so no connection outlives this but those from outside.
    '-m conntrack --ctstate RELATED,ESTABLISHED -j RETURN',
    // Names must be looked up somewhere: that may be this machine, or where a cloud has its metadata, too.
    '-p udp --dport 53 -j RETURN',
    '-p tcp --dport 53 -j RETURN',
    ...allow.flatMap(at).map((to) => `${to} -j RETURN`),
    ...refuse(`-d ${LINK_LOCAL}`),
    ...block.flatMap(at).flatMap(refuse),
    ...refuse('-m addrtype --dst-type LOCAL'),
    // A port of this machine that leads into a container.
    ...refuse('-m conntrack --ctstate DNAT'),
    '-m addrtype ! --dst-type UNICAST -j DROP',
  ];
  return ['*filter', `:${name} - [0:0]`, ...rules.map((rule) => `-A ${name} ${rule}`), 'COMMIT', ''].join(
    '\n',
  );
}

const RESET = '-j REJECT --reject-with tcp-reset';

/** Connections are reset: the kernel sends other words of refusal once a second at most, and a program would wait for them. */
function refuse(what: string): string[] {
  const prohibited = `${what} -j REJECT --reject-with icmp-admin-prohibited`;
  if (what.includes('-p tcp')) return [`${what} ${RESET}`];
  return what.includes('-p ') ? [prohibited] : [`${what} -p tcp ${RESET}`, prohibited];
}
