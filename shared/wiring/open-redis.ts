// Queues and coordination on Redis. Only a main.ts, a test or a bench comes here.

export { openRedis, type RedisParts } from '../adapters/redis/open.ts';
