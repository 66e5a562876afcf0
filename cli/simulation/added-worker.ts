// How `--add-worker cpu=8,mem=32,gpu=1,count=3` is read. Pure. Memory and storage are GB here and MB on the wire.

import { InvalidArgumentError } from 'commander';
import type { AddedWorkerBody } from '../../shared/contracts/what-if.ts';

/** What may be said of one on the command line. */
export type AddedSizes = Omit<AddedWorkerBody, 'labels' | 'mounts'>;

const GB = 1_024;
/** By every name that a user may have seen for it elsewhere. */
const PARTS: Readonly<Record<string, { part: keyof AddedSizes; scale: number }>> = {
  cpu: { part: 'cpu', scale: 1 },
  cpus: { part: 'cpu', scale: 1 },
  cores: { part: 'cpu', scale: 1 },
  cpu_cores: { part: 'cpu', scale: 1 },
  mem: { part: 'memory', scale: GB },
  memory: { part: 'memory', scale: GB },
  gpu: { part: 'gpu', scale: 1 },
  gpus: { part: 'gpu', scale: 1 },
  gpu_cores: { part: 'gpu', scale: 1 },
  storage: { part: 'storage', scale: GB },
  count: { part: 'count', scale: 1 },
};
const FORM = 'Write it like cpu=8,mem=32,gpu=1,storage=100,count=3: memory and storage in GB.';

/** For an option that may be given several times. What is out of range is for the API to say. */
export function addedWorker(text: string, before: readonly AddedSizes[] | undefined): AddedSizes[] {
  const sizes: Partial<AddedSizes> = {};
  for (const piece of text.split(',')) {
    const [name = '', value = ''] = piece.split('=', 2).map((word) => word.trim());
    const known = Object.hasOwn(PARTS, name.toLowerCase()) ? PARTS[name.toLowerCase()] : undefined;
    const number = Number(value);
    if (!known) throw new InvalidArgumentError(`"${name}" is no part of a worker. ${FORM}`);
    if (value === '' || !Number.isFinite(number)) {
      throw new InvalidArgumentError(`${name} must be a number. ${FORM}`);
    }
    if (sizes[known.part] !== undefined) throw new InvalidArgumentError(`${name} is given twice. ${FORM}`);
    sizes[known.part] = number * known.scale;
  }
  const { cpu, memory, gpu = 0, storage = 0, count = 1 } = sizes;
  if (cpu === undefined || memory === undefined) {
    throw new InvalidArgumentError(`It must say at least cpu and mem. ${FORM}`);
  }
  return [...(before ?? []), { cpu, memory, gpu, storage, count }];
}
