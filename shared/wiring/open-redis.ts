// Queues and coordination on Redis. Only a main.ts, a test or a bench comes here.

import type { RedisParts } from '../adapters/redis/open.ts';
import type { ApiConfig } from '../platform/config/api.ts';

export { openRedis, type RedisParts } from '../adapters/redis/open.ts';

/** What the API is made of that Redis gives. */
export function apiPartsOn(
  redis: RedisParts,
  { loginMaxFailures, loginLockoutSeconds }: Pick<ApiConfig, 'loginMaxFailures' | 'loginLockoutSeconds'>,
) {
  const { intake, queueViews, presence, bus, liveLogs, progress, usage, traces, images } = redis;
  const { schedulerBoard, decisions, socketAdapter } = redis;
  return {
    ...{ intake, queueViews, presence, bus, liveLogs, progress, usage, traces, images },
    ...{ schedulerBoard, decisions, socketAdapter },
    loginLimiter: redis.limiter({
      keyPrefix: 'login',
      maxFailures: loginMaxFailures,
      windowSeconds: loginLockoutSeconds,
    }),
    rateLimiter: redis.rateLimiter,
    pingQueue: () => redis.ping(),
  };
}
