// Which boot of this machine it is: a name the kernel draws anew at each. Null where it has none to tell.

import { readFile } from 'node:fs/promises';

const PATH = '/proc/sys/kernel/random/boot_id';
const BOOT_ID = /^[0-9a-f-]{36}$/;

export async function readBootId(path = PATH): Promise<string | null> {
  const text = await readFile(path, 'utf8').catch(() => '');
  const id = text.trim();
  return BOOT_ID.test(id) ? id : null;
}
