// A backup put into a store that no API can be asked for: on a new machine, or in the place of a broken database. Every
// process of the cluster has been stopped.

import { createReadStream } from 'node:fs';
import type { RestoreReply } from '../../../shared/contracts/backups.ts';
import type { Log } from '../../../shared/platform/log.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import type { EventBus } from '../../../shared/ports/coordination.ts';
import type { Store } from '../../../shared/ports/store.ts';
import { Backups } from './backups.ts';

const RESTORE_OPTION = '--restore';

/** The file that is named on the command line, or null. */
export function restoreArgument(args: readonly string[]): string | null {
  const at = args.indexOf(RESTORE_OPTION);
  return at < 0 ? null : (args[at + 1] ?? '');
}

/** Who has this shell owns the store. */
const OPERATOR = { userId: '', username: 'the shell', role: 'admin' } as const;

/** @throws AppError as `Backups.restore`; what the disk says of the file */
export function restoreOffline(
  file: string,
  { store, clock, log }: { store: Store; clock: Clock; log: Log },
): Promise<RestoreReply> {
  // Nobody is there to be told.
  const bus: EventBus = {
    publish: async () => undefined,
    publishMany: async () => undefined,
    subscribe: async () => async () => undefined,
    nudge: async () => undefined,
    onNudge: async () => async () => undefined,
  };
  const backups = new Backups({ store, bus, forget: () => undefined, clock, log });
  return backups.restore(OPERATOR, createReadStream(file), { dryRun: false });
}
