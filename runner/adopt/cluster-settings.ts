// The settings a cluster hands over: how they meet the runner's own environment, and what can be said against them
// before anything is tried. Reads no files and opens nothing.

import { isIP } from 'node:net';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import { isLoopbackHost } from '../../shared/model/worker-address.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';

/** What the cluster decides comes from the cluster; all else, and how this machine is called, stays its own. */
export function memberEnvironment(env: Environment, settings: ClusterSettings): Environment {
  return {
    ...env,
    // Where the cluster is, it says itself.
    STORE_URL_FILE: undefined,
    REDIS_URL_FILE: undefined,
    ...settings,
    WORKER_LEASE_SECONDS: String(settings.WORKER_LEASE_SECONDS),
    WORKER_ADDRESS: env.WORKER_ADDRESS || settings.WORKER_ADDRESS,
  };
}

/** The request came from this machine itself. @param own addresses of this machine */
export function isFromHere(caller: string, own: readonly string[]): boolean {
  const address = caller.replace(/^::ffff:(?=\d)/i, '');
  return isLoopbackHost(address) || own.includes(address);
}

/** Settings that name the machine they were written on, in words. On another machine they would mislead. */
export function boundToTheirMachine(settings: ClusterSettings): string[] {
  return (['STORE_URL', 'REDIS_URL', 'FILES_URL'] as const).flatMap((name) => {
    const where = onlyOnItsMachine(settings[name]);
    return where === null ? [] : [`${name} names ${where}, which only the machine of the API can use`];
  });
}

function onlyOnItsMachine(url: string): string | null {
  if (/^sqlite:/.test(url)) return 'a SQLite file';
  if (/^file:/.test(url)) return null;
  if (/^unix:/.test(url)) return 'a socket';
  return hostsOf(url).find((host) => isLoopbackHost(host)) ?? null;
}

/** Hosts of a URL without their ports; a MongoDB URL may have several. */
export function hostsOf(url: string): string[] {
  return authorityOf(url).map((host) => {
    const bare = /^\[([^\]]*)\]/.exec(host)?.[1] ?? host;
    return isIP(bare) === 6 ? bare : bare.replace(/:\d*$/, '');
  });
}

/** What a person may read of a URL: hosts and ports, or a path; never who signs in with what. */
export function placeOf(url: string): string {
  if (/^(sqlite|file|unix):/.test(url)) return pathOf(url);
  return authorityOf(url).join(', ') || 'its address';
}

/** Of `sqlite:`, `file:` and `unix:` settings. */
export function pathOf(url: string): string {
  const path = url.replace(/^[a-z]+:(\/\/(?=\/))?/, '');
  return url.startsWith('unix:') ? path.replace(/\?.*$/, '') : path;
}

/** Hosts with their ports; none where a password that was not encoded could be taken for one. */
function authorityOf(url: string): string[] {
  const [, hosts = '', rest = ''] = /^[a-z+]+:\/\/(?:[^@/?#]*@)?([^@/?#]*)(.*)$/is.exec(url) ?? [];
  return rest.includes('@') ? [] : hosts.split(',').filter((host) => host !== '');
}
