// One try of a delivery: signs it after the Standard Webhooks specification, posts it, says what came of it.
// Every address is checked at the moment of connecting, so a name that changes its mind between two looks gains
// nothing. Follows no redirect and keeps nothing of the answer but its status. Never throws, never logs a secret.

import dns from 'node:dns';
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import { isIP, type LookupFunction } from 'node:net';
import { Webhook } from 'standardwebhooks';
import { readVersion } from '../../../shared/platform/version.ts';
import type { Clock } from '../../../shared/ports/clock.ts';
import { connectionFault } from '../connection-fault.ts';
import { type AddressRules, hostOf } from './address-rules.ts';

/** What is read of an answer before the connection is dropped. */
const ANSWER_MAX_BYTES = 4_096;

/** The status by which a receiver says that it wants no more. */
const GONE = 410;

const USER_AGENT = `CloudAI-Webhooks/${readVersion()}`;

export type Resolve = (
  hostname: string,
  options: dns.LookupAllOptions,
  callback: (error: NodeJS.ErrnoException | null, addresses: dns.LookupAddress[]) => void,
) => void;

export interface SenderParts {
  readonly rules: AddressRules;
  readonly clock: Clock;
  /** For all of it: finding the address, connecting, sending, the answer. */
  readonly deadlineMs: number;
  readonly resolve?: Resolve | undefined;
}

export interface Parcel {
  readonly id: string;
  readonly url: string;
  readonly payload: string;
  /** `whsec_…` */
  readonly secret: string;
}

export interface Answer {
  /** Null when none came. */
  readonly status: number | null;
  /** Why it did not go well, in words for the user; null when it did. */
  readonly error: string | null;
  /** Header of the answer. */
  readonly retryAfter: string | undefined;
  /** Another try would meet the same: the address is not allowed, or the receiver wants no more. */
  readonly final: boolean;
  readonly tookMs: number;
}

type Outcome = Omit<Answer, 'tookMs'>;

/** The address may not be called. */
class Refused extends Error {}

/** For what needs no try to be known. */
export function notSent(why: string): Answer {
  return { status: null, error: `not sent: ${why}`, retryAfter: undefined, final: true, tookMs: 0 };
}

export class Sender {
  readonly #parts: SenderParts;

  constructor(parts: SenderParts) {
    this.#parts = parts;
  }

  /** @param signal gives up; nothing is known then of what the receiver got */
  async send(parcel: Parcel, signal: AbortSignal): Promise<Answer> {
    const { clock, deadlineMs } = this.#parts;
    const begin = clock.monotonic();
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(), deadlineMs);
    const outcome = await this.#post(parcel, AbortSignal.any([late.signal, signal])).catch(
      (error): Outcome => ({
        status: null,
        error: late.signal.aborted ? `no answer within ${deadlineMs / 1_000} s` : wordsOf(error),
        retryAfter: undefined,
        final: error instanceof Refused,
      }),
    );
    clearTimeout(timer);
    return { ...outcome, tookMs: clock.monotonic() - begin };
  }

  async #post({ id, url: text, payload, secret }: Parcel, signal: AbortSignal): Promise<Outcome> {
    const { rules, clock, resolve = dns.lookup } = this.#parts;
    const url = new URL(text);
    const host = hostOf(url);
    // Nobody is asked for the address of an address.
    if (isIP(host) !== 0) refuseIf(rules.refusalOfAddress(url, host));
    const sentAt = new Date(clock.now());
    const request = (url.protocol === 'https:' ? https : http).request(url, {
      method: 'POST',
      // A connection of its own: an idle one might lead where a rule of today would not.
      agent: false,
      lookup: guarded(url, rules, resolve),
      signal,
      headers: {
        'content-type': 'application/json',
        'content-length': Buffer.byteLength(payload),
        'user-agent': USER_AGENT,
        'webhook-id': id,
        'webhook-timestamp': String(Math.floor(sentAt.getTime() / 1_000)),
        'webhook-signature': new Webhook(secret).sign(id, sentAt, payload),
      },
    });
    const response = await new Promise<IncomingMessage>((answered, failed) => {
      request.once('response', answered);
      request.on('error', failed);
      // A connection may end with neither: an answer that switches to another protocol is dropped without a word.
      request.once('close', () => failed(new Error('the connection ended without an answer')));
      request.end(payload);
    });
    await drain(response);
    request.destroy();
    return outcomeOf(response);
  }
}

/** Reads a little, so that a short answer may end in peace. Whatever happens here, the status has come. */
async function drain(response: IncomingMessage): Promise<void> {
  let bytes = 0;
  try {
    for await (const chunk of response) {
      bytes += (chunk as Buffer).length;
      if (bytes > ANSWER_MAX_BYTES) return;
    }
  } catch {
    // Cut off in the middle, or not over before the deadline.
  }
}

function outcomeOf({ statusCode = 0, headers }: IncomingMessage): Outcome {
  const went = statusCode >= 200 && statusCode < 300;
  const redirect = statusCode >= 300 && statusCode < 400 ? '; redirects are not followed' : '';
  return {
    status: statusCode,
    error: went ? null : `the receiver answered ${statusCode}${redirect}`,
    retryAfter: went ? undefined : headers['retry-after'],
    final: statusCode === GONE,
  };
}

/** A look-up that gives out only addresses that may be called, and fails when there are none. */
function guarded(url: URL, rules: AddressRules, resolve: Resolve): LookupFunction {
  return (hostname, options, callback) => {
    resolve(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, []);
      const refusals = found.map(({ address }) => rules.refusalOfAddress(url, address));
      const open = found.filter((_, index) => refusals[index] === null);
      const [first] = open;
      if (!first) return callback(new Refused(refusals[0] ?? `${hostname} has no address`), []);
      if (options.all) return callback(null, open);
      return callback(null, first.address, first.family);
    });
  };
}

function refuseIf(refusal: string | null): void {
  if (refusal !== null) throw new Refused(refusal);
}

function wordsOf(error: unknown): string {
  return error instanceof Refused ? `not sent: ${error.message}` : connectionFault(error);
}
