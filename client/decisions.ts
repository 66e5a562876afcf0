// Reads the decision log of the schedulers, request by request, oldest entry first. Runs in Node and in a browser.

import type { DecisionEntryBody } from '../shared/contracts/decisions.ts';
import { ApiError, ConnectionError, connectionError } from './errors.ts';
import { readJsonLines } from './ndjson.ts';
import type { Transport } from './transport.ts';

export interface DecisionOptions {
  /** Only what comes after the entry with this id. */
  readonly after?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface DecisionCalls {
  /** All entries there are; for admins. Each request asks for some, so that no answer takes too long. */
  decisions(options?: DecisionOptions): AsyncGenerator<DecisionEntryBody, void, undefined>;
}

const PER_REQUEST = 1_000;

export function decisionCalls(transport: Transport): DecisionCalls {
  return {
    decisions: async function* (options = {}) {
      const signal = transport.either(options.signal);
      let last = options.after;
      for (;;) {
        let count = 0;
        for await (const entry of readSome(transport, last, signal)) {
          count += 1;
          last = entry.id;
          yield entry;
        }
        if (count < PER_REQUEST) return;
      }
    },
  };
}

/** @throws {ApiError}, {@link ConnectionError}; the reason of `outer` */
async function* readSome(
  transport: Transport,
  after: string | undefined,
  outer: AbortSignal | undefined,
): AsyncGenerator<DecisionEntryBody, void, undefined> {
  const controller = new AbortController();
  const stop = () => controller.abort(outer?.reason);
  if (outer?.aborted) stop();
  outer?.addEventListener('abort', stop);
  let silence: ReturnType<typeof setTimeout> | undefined;
  const touch = () => {
    clearTimeout(silence);
    silence = setTimeout(() => controller.abort(new Error('silence')), transport.timeoutMs);
  };
  try {
    const query = { after, limit: PER_REQUEST };
    const call = {
      method: 'GET',
      path: '/api/scheduler/decisions',
      query,
      signal: controller.signal,
    } as const;
    const body = await transport.stream(call, 'application/x-ndjson');
    touch();
    for await (const entry of readJsonLines<DecisionEntryBody>(body, touch)) {
      // Only the API's silence counts, not the time that the reader takes over an entry.
      clearTimeout(silence);
      yield entry;
      touch();
    }
  } catch (error) {
    if (outer?.aborted || error instanceof ApiError || error instanceof ConnectionError) throw error;
    throw connectionError(transport.url, error);
  } finally {
    clearTimeout(silence);
    controller.abort();
    outer?.removeEventListener('abort', stop);
  }
}
