// Whether a runner could work with the store and the Redis of a cluster, before it relies on them. Only a main.ts, a
// test or a bench comes here. Leaves nothing open, and its words hold no password.

import { openRedis } from '../adapters/redis/open.ts';
import { messageOf } from '../errors.ts';
import type { RunnerConfig } from '../platform/config/runner.ts';
import { withDeadline } from '../platform/deadline.ts';
import { silentLog } from '../platform/log.ts';
import { openRecords } from './open-store.ts';

export interface ClusterTrial {
  /** What does not work, in words; null when it does. */
  readonly store: string | null;
  readonly redis: string | null;
}

/** Longer than the drivers' own 5 s, which say more. */
const DEADLINE_MS = 7_000;

export async function tryCluster(config: RunnerConfig, deadlineMs = DEADLINE_MS): Promise<ClusterTrial> {
  const attempt = async (work: Promise<void>, url: string): Promise<string | null> => {
    try {
      await withDeadline(work, deadlineMs, () => new Error(`no answer in ${deadlineMs / 1_000} s`));
      return null;
    } catch (error) {
      return withoutSecrets(messageOf(error), url);
    }
  };
  const [store, redis] = await Promise.all([
    attempt(tryStore(config), config.storeUrl),
    attempt(tryRedis(config), config.redisUrl),
  ]);
  return { store, redis };
}

async function tryStore(config: RunnerConfig): Promise<void> {
  const { store } = await openRecords(config);
  try {
    await store.ping();
  } finally {
    await store.close();
  }
}

async function tryRedis({ redisUrl, redisPrefix }: RunnerConfig): Promise<void> {
  const redis = await openRedis({
    url: redisUrl,
    prefix: redisPrefix,
    // It says what is wrong as soon as it knows.
    patience: 'fail-fast',
    log: silentLog(),
  });
  try {
    await redis.ping();
  } finally {
    await redis.close();
  }
}

const LONGEST = 300;

/** Drivers and servers hardly quote what they were given; should one, it goes no further. */
function withoutSecrets(text: string, url: string): string {
  const userinfo = /^[a-z+]+:\/\/(.*)@/is.exec(url)?.[1] ?? '';
  const password = userinfo.slice(userinfo.indexOf(':') + 1);
  const secrets = [url, userinfo, password, decoded(password)].filter((secret) => secret.length > 0);
  const said = secrets.reduce((left, secret) => left.replaceAll(secret, '********'), text);
  // It came over the wire and ends on somebody's terminal.
  return said.replaceAll(/[\p{Cc}\p{Cf}]+/gu, ' ').slice(0, LONGEST);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
