// Everything that CloudAI asks of Redis, on one connection per process plus one for each thing that blocks.

import type { Log } from '../../platform/log.ts';
import type {
  AttemptLimiter,
  EventBus,
  LeaderLease,
  LeaseKeeper,
  RateLimiter,
  WorkerPresence,
} from '../../ports/coordination.ts';
import type { DecisionLog } from '../../ports/decision-log.ts';
import type { ImageBoard } from '../../ports/image-board.ts';
import type { LiveLogs, LiveTraces, ProgressBoard, RoomEmitter, UsageBoard } from '../../ports/live.ts';
import type { DeliveryQueue, Inbox, IntakeQueue, QueueViews } from '../../ports/queue.ts';
import type { SchedulerBoard } from '../../ports/scheduler-board.ts';
import { type LimiterOptions, RedisAttemptLimiter } from './attempt-limiter.ts';
import { type Patience, RedisConnection } from './connection.ts';
import { RedisDecisionLog } from './decision-log.ts';
import { RedisDeliveryQueue } from './delivery-queue.ts';
import { RedisEventBus } from './event-bus.ts';
import { RedisImageBoard } from './image-board.ts';
import { RedisInbox } from './inbox.ts';
import { RedisIntakeQueue } from './intake-queue.ts';
import { RedisLeaderLease } from './leader-lease.ts';
import { RedisLeaseKeeper } from './lease-keeper.ts';
import { RedisLiveLogs } from './live-logs.ts';
import { RedisLiveTraces } from './live-traces.ts';
import { RedisProgressBoard } from './progress-board.ts';
import { RedisQueueViews } from './queue-views.ts';
import { type RateLimiterOptions, RedisRateLimiter } from './rate-limiter.ts';
import { RedisRoomEmitter } from './room-emitter.ts';
import { RedisSchedulerBoard } from './scheduler-board.ts';
import { RedisSocketAdapter } from './socket-adapter.ts';
import { RedisUsageBoard } from './usage-board.ts';
import { RedisWorkerPresence } from './worker-presence.ts';

export interface RedisOptions {
  readonly url: string;
  /** First part of every key; clusters that share a Redis need different ones. */
  readonly prefix: string;
  readonly log: Log;
  readonly patience: Patience;
}

export interface RedisParts {
  readonly intake: IntakeQueue;
  readonly deliveries: DeliveryQueue;
  readonly inbox: Inbox;
  readonly queueViews: QueueViews;
  readonly lease: LeaderLease;
  readonly presence: WorkerPresence;
  readonly keeper: LeaseKeeper;
  readonly bus: EventBus;
  readonly liveLogs: LiveLogs;
  readonly rooms: RoomEmitter;
  readonly progress: ProgressBoard;
  readonly usage: UsageBoard;
  readonly traces: LiveTraces;
  readonly images: ImageBoard;
  readonly schedulerBoard: SchedulerBoard;
  readonly decisions: DecisionLog;
  /** What a Socket.io server takes as its `adapter`; connects when a server uses it. */
  readonly socketAdapter: unknown;
  limiter(options: LimiterOptions): AttemptLimiter;
  rateLimiter(options: RateLimiterOptions): RateLimiter;
  /** Throws `queue_unavailable` unless Redis answers. */
  ping(): Promise<void>;
  /** Within seconds, Redis there or not. What inboxes have in work stays undone in the queue. */
  close(): Promise<void>;
}

/** Does not throw when Redis is away: calls then throw `queue_unavailable` until it is there. */
export async function openRedis(options: RedisOptions): Promise<RedisParts> {
  const connection = new RedisConnection(options);
  const intake = new RedisIntakeQueue(connection);
  const deliveries = new RedisDeliveryQueue(connection);
  const inbox = new RedisInbox(connection);
  const bus = new RedisEventBus(connection);
  const liveLogs = new RedisLiveLogs(connection);
  const sockets = new RedisSocketAdapter(connection);
  await connection.settle();
  return {
    intake,
    deliveries,
    inbox,
    queueViews: new RedisQueueViews(connection),
    lease: new RedisLeaderLease(connection),
    presence: new RedisWorkerPresence(connection),
    keeper: new RedisLeaseKeeper(options),
    bus,
    liveLogs,
    rooms: new RedisRoomEmitter(connection),
    progress: new RedisProgressBoard(connection),
    usage: new RedisUsageBoard(connection),
    traces: new RedisLiveTraces(connection),
    images: new RedisImageBoard(connection),
    schedulerBoard: new RedisSchedulerBoard(connection),
    decisions: new RedisDecisionLog(connection),
    socketAdapter: sockets.factory(),
    limiter: (limits) => new RedisAttemptLimiter(connection, limits),
    rateLimiter: (limits) => new RedisRateLimiter(connection, limits),
    ping: () => connection.ping(),
    close: async () => {
      sockets.close();
      await Promise.all([inbox.close(), intake.close(), deliveries.close(), bus.close(), liveLogs.close()]);
      await connection.close();
    },
  };
}
