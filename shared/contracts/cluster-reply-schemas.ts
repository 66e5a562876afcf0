// What the calls about the cluster as a whole answer, as schemas of the document.

import Joi from 'joi';
import { HISTORY_METRICS } from '../model/history.ts';
import { POLICIES } from '../model/scheduling.ts';
import type { RestoreReply } from './backups.ts';
import type { DecisionEntryBody } from './decisions.ts';
import type { HistoryReply, MetricBody } from './history.ts';
import type { ReadyReply } from './http.ts';
import { attainmentReplySchema, forecastScoreReplySchema } from './queue-reply-schemas.ts';
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
  whole,
  yes,
} from './reply.ts';
import type { UsageTotalsBody } from './usage.ts';
import type { WhatIfReply, WhatIfTaskBody, WhatIfWorkerBody } from './what-if.ts';
import { amountsReplySchema as amounts, workerReplySchema, workerState } from './worker-reply-schemas.ts';
import type { SchedulerBody, TelemetryReply } from './workers.ts';

const scheduler = reply<SchedulerBody>('Scheduler', {
  leading: yes.description('False when it has not spoken for a while.'),
  policy: oneOf(POLICIES),
  ageing_seconds: amount,
  reserve_after_seconds: amount,
  preemption: yes,
  waiting_lines: count,
  reservations: list(
    fields<SchedulerBody['reservations'][number]>({ worker_id: Joi.string(), since: time, until: time }),
  ),
  at: time,
});

const usageTotals = reply<UsageTotalsBody>('ClusterUsage', {
  cpu_percent: amount.allow(null),
  cpu_cores: amount,
  memory_used: amount,
  memory_total: amount,
  storage_used: amount,
  network_receive_rate: amount,
  network_transmit_rate: amount,
  gpus: fields<NonNullable<UsageTotalsBody['gpus']>>({
    count,
    utilization_percent: amount,
    memory_used: amount,
    memory_total: amount,
  }).allow(null),
});

export const telemetryReplySchema = reply<TelemetryReply>('Telemetry', {
  at: time,
  workers_by_state: fields<TelemetryReply['workers_by_state']>({
    ready: count,
    cordoned: count,
    draining: count,
    unhealthy: count,
    down: count,
    unreachable: count,
  }),
  totals: fields<TelemetryReply['totals']>({
    capacity: amounts,
    reserved: amounts,
    free: amounts,
    usage: usageTotals,
  }),
  tasks_by_state: fields<TelemetryReply['tasks_by_state']>({
    queued: count,
    assigned: count,
    running: count,
    completed: count,
    failed: count,
    cancelled: count,
  }),
  queue_depth: count,
  placements_per_second: amount.allow(null),
  sla: attainmentReplySchema.allow(null),
  forecasts: forecastScoreReplySchema,
  scheduler: scheduler.allow(null),
  retention_days: amount.description('Ended tasks are kept so long; 0: for ever.'),
  workers: list(workerReplySchema),
});

export const historyReplySchema = reply<HistoryReply>('TelemetryHistory', {
  metrics: list(
    reply<MetricBody>('MetricHistory', {
      metric: oneOf(HISTORY_METRICS),
      unit: Joi.string(),
      points: list(Joi.array().ordered(time.required(), amount.required())).description(
        'Start of a step and the mean over it; steps without a measurement are not there.',
      ),
    }),
  ),
  step_seconds: amount,
  from: time,
  to: time,
  worker: textOrNull.description('Null: the whole cluster.'),
});

const held = fields<WhatIfWorkerBody['before']>({ reserved: amounts, free: amounts });
const VERDICTS = ['now', 'waits', 'never'] as const satisfies WhatIfTaskBody['verdict'][];
export const whatIfReplySchema = reply<WhatIfReply>('WhatIf', {
  placed: count,
  waiting: count,
  never: count,
  behind: count.description('Tasks that wait already and go before the last of these.'),
  more: yes.description('There are more of them than were looked at: the answer may be too good.'),
  tasks: list(
    reply<WhatIfTaskBody>('WhatIfTask', {
      index: count,
      count,
      placed: count,
      waiting: count,
      verdict: oneOf(VERDICTS),
      reason: textOrNull,
      summary: text,
      workers: list(fields<WhatIfTaskBody['workers'][number]>({ worker_id: Joi.string(), count })),
    }),
  ),
  workers: list(
    reply<WhatIfWorkerBody>('WhatIfWorker', {
      worker_id: Joi.string(),
      added: yes,
      state: workerState,
      capacity: amounts,
      before: held,
      after: held,
      placed: count,
      placed_ahead: count,
    }),
  ),
});

export const decisionEntrySchema = reply<DecisionEntryBody>('DecisionEntry', {
  id: Joi.string(),
  record: Joi.object().description('As in docs/SCHEDULING.md.'),
});

export const restoreReplySchema = reply<RestoreReply>('Restore', {
  dry_run: yes,
  backup: fields<RestoreReply['backup']>({
    created_at: timeOrNull,
    release: textOrNull,
    schema_version: whole,
  }),
  tasks_now: count,
  tasks_in_backup: count,
  tasks_lost: count,
  unfinished_tasks_lost: count,
  tasks_again: count,
  users_lost: count,
  safety_copy: textOrNull.description(
    'On the machine of the API: what was there before. Null for a dry run.',
  ),
});

export const healthReplySchema = reply<{ status: 'ok' }>('Health', { status: oneOf(['ok']) });

export const readyReplySchema = reply<ReadyReply>('Readiness', {
  status: oneOf(['ready', 'unavailable']),
  checks: byName(fields<ReadyReply['checks'][string]>({ ok: yes, message: textOrNull })),
});
