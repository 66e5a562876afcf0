// What the programs that this process starts may do to the machine, as the kernel tells of it. Asks for nothing, changes
// nothing.

import { readFile } from 'node:fs/promises';

/** Number of CAP_NET_ADMIN: whoever has it may write rules of the network. */
export const NET_ADMIN = 12;

/** Of this process and its children. False where the kernel tells of no capabilities. */
export async function mayUse(capability: number): Promise<boolean> {
  const status = await readFile('/proc/self/status', 'utf8').catch(() => '');
  return passesOn(status, process.getuid?.() === 0, capability);
}

/**
 * Whether a program that is started has the capability.
 * @param status text of `/proc/<pid>/status`
 * @param isRoot programs of root get what root may have, others only what is marked to be passed on (ambient)
 */
export function passesOn(status: string, isRoot: boolean, capability: number): boolean {
  const set = new RegExp(`^${isRoot ? 'CapEff' : 'CapAmb'}:\\s*([0-9a-f]+)$`, 'm').exec(status)?.[1];
  return set !== undefined && ((BigInt(`0x${set}`) >> BigInt(capability)) & 1n) === 1n;
}
