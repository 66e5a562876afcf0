// The programs that make hosts (`ip`, `nsenter`, `iptables`) and whether this machine lets us use them. Tests that need
// hosts are skipped where it does not, and say why.

import { execFile, execFileSync } from 'node:child_process';
import { promisify } from 'node:util';
import { findProgram, fullPath } from '../../../infra/setup/commands.ts';
import { messageOf } from '../../../shared/errors.ts';
import { uniqueName } from '../servers.ts';

const DEADLINE_MS = 20_000;
/** Where `ip netns` keeps the namespaces it makes. */
const NETNS_FOLDER = '/var/run/netns';

// `npm test` sets these where the program is on no PATH.
const PATHS = {
  ip: () => process.env.IP_PATH ?? findProgram('ip'),
  nsenter: () => process.env.NSENTER_PATH ?? findProgram('nsenter'),
  iptables: () => process.env.IPTABLES_PATH ?? findProgram('iptables'),
} as const;
type Program = keyof typeof PATHS;

export function pathOf(program: Program): string {
  const path = PATHS[program]();
  if (path === null) throw new Error(`hosts need the program ${program}, which is not here`);
  return path;
}

/** Runs it to its end and returns what it said. @throws with what it said, when it fails. */
export async function run(program: string, args: readonly string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(program, args, {
    timeout: DEADLINE_MS,
    env: { ...process.env, PATH: fullPath() },
  });
  return stdout;
}

export function ip(...args: string[]): Promise<string> {
  return run(pathOf('ip'), args);
}

/** Words before a command that make it run on the network of a namespace, with everything else as it is here. */
export function onNetworkOf(namespace: string): string[] {
  // Not `ip netns exec`: that mounts another /sys, in which an engine finds no control groups.
  return [pathOf('nsenter'), `--net=${NETNS_FOLDER}/${namespace}`, '--'];
}

/** Why this machine can have no hosts; null when it can. */
export function whyNoHosts(): string | null {
  if (process.platform !== 'linux') return 'network namespaces are a thing of Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  const missing = (Object.keys(PATHS) as Program[]).filter((program) => PATHS[program]() === null);
  if (missing.length > 0) return `not here: ${missing.join(', ')}`;
  const name = uniqueName('cai-try-');
  try {
    // A container may be root and still not be allowed any of this.
    const said = { stdio: 'pipe', timeout: DEADLINE_MS } as const;
    execFileSync(pathOf('ip'), ['netns', 'add', name], said);
    try {
      execFileSync(pathOf('ip'), ['-n', name, 'link', 'add', 'br0', 'type', 'bridge'], said);
      const [nsenter = '', ...words] = onNetworkOf(name);
      execFileSync(nsenter, [...words, pathOf('iptables'), '-S'], said);
    } finally {
      execFileSync(pathOf('ip'), ['netns', 'del', name], said);
    }
    return null;
  } catch (error) {
    return messageOf(error).trim();
  }
}
