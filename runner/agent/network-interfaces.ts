// The network interfaces over which a machine talks to others. Left out is what carries the same bytes a second time:
// loopback, bridges, the ends of containers' links.

import { access, readdir } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';

const SYS = '/sys/class/net';
/** Each costs a process to read. */
const MOST = 16;

/** Physical ones, or on a machine that shows none (itself a container, not Linux) what has an address. */
export async function outwardInterfaces(sys = SYS): Promise<string[]> {
  const has = (name: string, part: string) =>
    access(`${sys}/${name}/${part}`).then(
      () => true,
      () => false,
    );
  const where = async (names: readonly string[], part: string, wanted: boolean) => {
    const found = await Promise.all(names.map((name) => has(name, part)));
    return names.filter((_, at) => found[at] === wanted);
  };
  const all = await readdir(sys).catch(() => []);
  const physical = await where(all, 'device', true);
  if (physical.length > 0) return physical.sort().slice(0, MOST);
  const addressed = Object.entries(networkInterfaces()).flatMap(([name, addresses]) =>
    addresses?.some(({ internal }) => !internal) ? [name] : [],
  );
  return (await where(await where(addressed, 'bridge', false), 'brport', false)).sort().slice(0, MOST);
}
