// What the calls about workers and images answer, as schemas of the document.

import Joi from 'joi';
import { MAINTENANCE, type WorkerState } from '../model/worker.ts';
import { TROUBLE_CODES } from '../model/worker-health.ts';
import type { ImageBody, ImageListReply } from './images.ts';
import type { MountRuleBody } from './mounts.ts';
import {
  amount,
  byName,
  count,
  fields,
  list,
  oneOf,
  reply,
  text,
  textOrNull,
  time,
  timeOrNull,
  yes,
} from './reply.ts';
import type { GpuUsageBody, UsageBody } from './usage.ts';
import type { AmountsBody, TroubleBody, WorkerBody, WorkerListReply } from './workers.ts';

const STATES = [
  'ready',
  'cordoned',
  'draining',
  'unhealthy',
  'down',
  'unreachable',
] as const satisfies WorkerState[];
export const workerState = oneOf(STATES);

export const amountsReplySchema = reply<AmountsBody>('Amounts', {
  cpu: amount.description('Cores.'),
  memory: amount.description('MB.'),
  gpu: amount,
  storage: amount.description('MB.'),
});

const usage = reply<UsageBody>('WorkerUsage', {
  cpu_percent: amount,
  memory_used: amount,
  storage_used: amount,
  network_receive_rate: amount.description('Bytes a second.'),
  network_transmit_rate: amount,
  gpus: list(
    fields<GpuUsageBody>({
      id: Joi.string(),
      utilization_percent: amount,
      memory_used: amount,
      memory_total: amount,
    }),
  ),
});

export const workerReplySchema = reply<WorkerBody>('Worker', {
  worker_id: Joi.string(),
  state: workerState,
  message: textOrNull.description('Why it is in a state that is not well; else null.'),
  troubles: list(fields<TroubleBody>({ code: oneOf(TROUBLE_CODES), message: text, since: time })),
  maintenance: oneOf(MAINTENANCE).allow(null).description('What an admin has set.'),
  drain_until: timeOrNull.description('When what still runs there is moved elsewhere; null: never.'),
  address: text,
  labels: byName(text),
  mounts: list(fields<MountRuleBody>({ path: Joi.string(), read_only: yes })).description(
    'Folders that tasks may mount.',
  ),
  capacity: amountsReplySchema,
  reserved: amountsReplySchema.description('Held by assigned and running tasks.'),
  free: amountsReplySchema,
  tasks: fields<WorkerBody['tasks']>({ assigned: count, running: count }),
  heartbeat_age_seconds: amount.allow(null),
  clock_offset_ms: amount.allow(null),
  usage: usage.allow(null),
  fingerprint: fields<NonNullable<WorkerBody['fingerprint']>>({
    os: text,
    arch: text,
    cpu_model: text,
    cpu_cores: amount,
    memory: amount,
    storage: amount,
    gpu_models: list(text),
    runtime: text,
    runtime_version: text,
    version: text,
    task_network: oneOf(['guarded', 'open']).allow(null),
    task_network_why: textOrNull,
  })
    .allow(null)
    .description('What its runner found on the machine.'),
  registered_at: time,
});
export const workerListReplySchema = reply<WorkerListReply>('WorkerList', {
  workers: list(workerReplySchema),
});

export const imageListReplySchema = reply<ImageListReply>('ImageList', {
  images: list(
    reply<ImageBody>('Image', {
      image: Joi.string(),
      size_bytes: amount.allow(null),
      workers: list(Joi.string()).description('20 of them at most.'),
      worker_count: count,
    }),
  ),
});
