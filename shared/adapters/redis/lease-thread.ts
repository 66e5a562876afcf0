// The thread of `lease-keeper.ts`. It must do nothing but renew the lease, and not even that for a loop that hangs.

import { workerData } from 'node:worker_threads';
import { createLog } from '../../platform/log.ts';
import { RedisConnection } from './connection.ts';
import { type LeaseThreadData, RENEWED, SIGN_OF_LIFE } from './lease-keeper.ts';
import { within } from './within.ts';
import { RedisWorkerPresence } from './worker-presence.ts';

const { url, prefix, logLevel, lease, times }: LeaseThreadData = workerData;
const { workerId, incarnation, leaseMs, silenceMs } = lease;
const NS_PER_MS = 1_000_000n;
/** Of a lease: three tries before it runs out. */
const everyMs = leaseMs / 4;

const log = createLog('runner', logLevel);
const connection = new RedisConnection({ url, prefix, log, patience: 'patient' });
const presence = new RedisWorkerPresence(connection);
let isSilent = false;
let isTrouble = false;

async function renew(): Promise<void> {
  // Taken before the call: the lease begins somewhere within it.
  const at = process.hrtime.bigint();
  const silentMs = (at - Atomics.load(times, SIGN_OF_LIFE)) / NS_PER_MS;
  const wasSilent = isSilent;
  isSilent = silentMs > silenceMs;
  if (isSilent && !wasSilent) {
    log.error({ silentMs: Number(silentMs) }, 'the runner hangs: its lease is left to run out');
  }
  if (isSilent) return;
  try {
    // On a loaded machine answers take seconds. The next try does not wait for them: until the lease it asked for would
    // have run out, a late answer is good for what it says.
    const isHeld = await within(leaseMs, presence.extend(workerId, incarnation, leaseMs));
    if (isHeld && at > Atomics.load(times, RENEWED)) Atomics.store(times, RENEWED, at);
    isTrouble = false;
  } catch (error) {
    if (!isTrouble) log.warn({ err: error }, 'the lease could not be extended');
    isTrouble = true;
  }
}

setInterval(() => void renew(), everyMs);
void renew();
