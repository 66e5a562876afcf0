// /healthz: this process lives. /readyz: it can do its work, or what keeps it from it.

import type { Plugin, Server } from '@hapi/hapi';
import { healthReplySchema, readyReplySchema } from '../../shared/contracts/cluster-reply-schemas.ts';
import type { ReadyReply } from '../../shared/contracts/http.ts';
import { isAppError } from '../../shared/errors.ts';
import type { Log } from '../../shared/platform/log.ts';
import { documented } from '../openapi/call-doc.ts';
import { answerWithin } from '../services/deadline.ts';

export interface HealthOptions {
  /** What the API needs, by name; each rejects when it is away. */
  readonly checks: Readonly<Record<string, () => Promise<void>>>;
  readonly log: Log;
}

const CHECK_DEADLINE_MS = 2_000;

export const healthPlugin: Plugin<HealthOptions> = {
  name: 'health',
  register: (server: Server, { checks, log }: HealthOptions) => {
    server.route({
      method: 'GET',
      path: '/healthz',
      options: {
        ...documented({
          id: 'isAlive',
          tag: 'service',
          summary: 'This process lives.',
          replies: { 200: healthReplySchema },
        }),
        auth: false,
      },
      handler: () => ({ status: 'ok' }),
    });

    let asked: ReturnType<typeof judgeAll> | null = null;
    /** Anyone may ask, and as often as they like: store and Redis are asked once at a time. */
    const results = () => {
      asked ??= judgeAll(checks, log).finally(() => {
        asked = null;
      });
      return asked;
    };

    server.route({
      method: 'GET',
      path: '/readyz',
      options: {
        ...documented({
          id: 'isReady',
          tag: 'service',
          summary: 'It can do its work, or what keeps it from it.',
          replies: {
            200: readyReplySchema,
            503: {
              content: { 'application/json': readyReplySchema },
              headers: { 'Retry-After': { description: 'Seconds to wait before it is asked again.' } },
            },
          },
        }),
        auth: false,
      },
      handler: async (_request, h) => {
        const checked = await results();
        const ready = checked.every(([, { ok }]) => ok);
        const reply: ReadyReply = {
          status: ready ? 'ready' : 'unavailable',
          checks: Object.fromEntries(checked),
        };
        const response = h.response(reply).code(ready ? 200 : 503);
        return ready ? response : response.header('retry-after', '2');
      },
    });
  },
};

function judgeAll(checks: HealthOptions['checks'], log: Log) {
  return Promise.all(
    Object.entries(checks).map(async ([name, check]) => [name, await judge(name, check, log)] as const),
  );
}

async function judge(
  name: string,
  check: () => Promise<void>,
  log: Log,
): Promise<{ ok: boolean; message: string | null }> {
  try {
    await answerWithin(check(), CHECK_DEADLINE_MS, `the ${name}`);
    return { ok: true, message: null };
  } catch (error) {
    log.warn({ err: error, check: name }, 'not ready');
    // Anyone may read this, so only our own words are shown: a part's may hold an address.
    const late = isAppError(error, 'timed_out');
    return {
      ok: false,
      message: late
        ? `the ${name} did not answer within ${CHECK_DEADLINE_MS} ms`
        : `the ${name} does not answer`,
    };
  }
}
