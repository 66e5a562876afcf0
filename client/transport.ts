// One HTTP call: address, token, deadline, JSON in and out, errors as types. Knows no resource of the API.
// Must run in Node and in a browser: only `fetch` and web standards, nothing of Node.

import { ApiError, apiError, ConnectionError, connectionError, isAway } from './errors.ts';
import { RATE_PATIENCE_MS, rateLimitWait } from './rate-limit.ts';

export type Fetch = (input: string, init?: RequestInit) => Promise<Response>;

export interface ClientOptions {
  /** Where the API is, e.g. `http://localhost:8080`. */
  readonly url: string;
  readonly token?: string | undefined;
  readonly fetch?: Fetch | undefined;
  /** Gives up every call, whatever signal it has of its own. */
  readonly signal?: AbortSignal | undefined;
  /** Called when the API does not take the token; the call throws its ApiError all the same. */
  readonly onUnauthenticated?: (() => void) | undefined;
  /** Limit of one call from start to the end of its body. Followed logs are the one exception. */
  readonly timeoutMs?: number | undefined;
  /** How long a call may wait, in all, while the API says that this user makes too many; 0: refused at once. */
  readonly ratePatienceMs?: number | undefined;
  /** Called before each such wait. */
  readonly onRateLimited?: ((seconds: number) => void) | undefined;
}

export type Query = Readonly<Record<string, string | number | boolean | undefined>>;

export interface Call {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly query?: Query;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Sent as it stands, instead of `body`. */
  readonly content?: Content;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
  /** Of `open`: the answer takes as long as it takes. */
  readonly isLong?: boolean;
  /** Statuses above 399 whose body is an answer and no error. */
  readonly expected?: readonly number[];
}

export type Content = Blob | Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;

const DEFAULT_TIMEOUT_MS = 15_000;
/** Long enough for a restarted API to listen again, short enough not to be noticed. */
const RETRY_PAUSE_MS = 300;

export class Transport {
  readonly url: string;
  readonly timeoutMs: number;
  readonly #token: string | undefined;
  readonly #fetch: Fetch;
  readonly #signal: AbortSignal | undefined;
  readonly #onUnauthenticated: () => void;
  readonly #ratePatienceMs: number;
  readonly #onRateLimited: (seconds: number) => void;

  constructor(options: ClientOptions) {
    this.url = options.url.replace(/\/+$/, '');
    this.timeoutMs = options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
    this.#token = options.token || undefined;
    this.#signal = options.signal;
    this.#onUnauthenticated = options.onUnauthenticated ?? (() => undefined);
    this.#ratePatienceMs = options.ratePatienceMs ?? RATE_PATIENCE_MS;
    this.#onRateLimited = options.onRateLimited ?? (() => undefined);
    const given = options.fetch;
    // Called through a function: a browser's fetch refuses any `this` but its window.
    this.#fetch = given ?? ((input, init) => fetch(input, init));
  }

  /** The whole address of a call. */
  address(path: string, query: Query = {}): string {
    return `${this.url}${path}${queryText(query)}`;
  }

  /** Aborts with the signal of a call and with that of the client, to which many calls at once add no listener each. */
  either(own: AbortSignal | undefined): AbortSignal | undefined {
    if (this.#signal === undefined) return own;
    return AbortSignal.any(own === undefined ? [this.#signal] : [this.#signal, own]);
  }

  /**
   * The JSON answer of a call, or undefined for 204.
   * A GET that found no server, or one that is just away (502, 503, 504), is tried once more. One that is one too many
   * waits for as long as the API says.
   * @throws {ApiError} the API refused; {@link ConnectionError} it was not there or too slow;
   *   an AbortError when `signal` aborts.
   */
  async json<T>(given: Call): Promise<T> {
    const call = { ...given, signal: this.either(given.signal) };
    return this.#inTurn(call.signal, async () => {
      try {
        return await this.#once<T>(call);
      } catch (error) {
        if (call.method !== 'GET' || !isJustAway(error)) throw error;
        await pause(RETRY_PAUSE_MS, call.signal);
        return this.#once<T>(call);
      }
    });
  }

  async #inTurn<T>(signal: AbortSignal | undefined, run: () => Promise<T>): Promise<T> {
    for (let waitedMs = 0; ; ) {
      try {
        return await run();
      } catch (error) {
        const seconds = rateLimitWait(error);
        if (seconds === null) throw error;
        waitedMs += seconds * 1_000;
        if (waitedMs > this.#ratePatienceMs) throw error;
        this.#onRateLimited(seconds);
        await pause(seconds * 1_000, signal);
      }
    }
  }

  async #once<T>(call: Call): Promise<T> {
    const deadline = new Deadline(this.timeoutMs, call.signal);
    try {
      const response = await deadline.guard(this.#request(call, 'application/json', deadline.signal));
      const text = await deadline.guard(response.text());
      const accepted = response.ok || call.expected?.includes(response.status) === true;
      if (response.status === 204) return undefined as T;
      const body = parse(text);
      if (!accepted) throw this.#refusal(call, response, body);
      if (body === undefined) {
        throw new ApiError(
          response.status,
          'unexpected_reply',
          `${this.url} does not answer like a CloudAI API`,
        );
      }
      return body as T;
    } catch (error) {
      throw this.#translate(error, deadline, call.signal);
    } finally {
      deadline.end();
    }
  }

  /**
   * Opens a streamed answer. The deadline covers the wait for its head; the reader minds the rest and must
   * abort `signal` when it is done.
   */
  async stream(call: Call, accept: string): Promise<ReadableStream<Uint8Array>> {
    const response = await this.open(call, accept);
    const type = response.headers.get('content-type') ?? '';
    if (!type.startsWith(accept) || response.body === null) {
      await response.body?.cancel();
      throw new ApiError(
        response.status,
        'unexpected_reply',
        `${this.url} answered ${type || 'nothing'} where ${accept} was asked for`,
      );
    }
    return response.body;
  }

  /**
   * An answer of whatever type, whose body the caller reads under the same terms as that of `stream`.
   * A call with `content` has no deadline: sending takes as long as it takes, and a silent one is cut by the API.
   */
  open(given: Call, accept = '*/*'): Promise<Response> {
    const call = { ...given, signal: this.either(given.signal) };
    // A stream can be sent once.
    if (call.content instanceof ReadableStream) return this.#openOnce(call, accept);
    return this.#inTurn(call.signal, () => this.#openOnce(call, accept));
  }

  async #openOnce(call: Call, accept: string): Promise<Response> {
    const deadline = new Deadline(
      call.content === undefined && !call.isLong ? this.timeoutMs : null,
      call.signal,
    );
    try {
      const response = await deadline.guard(this.#request(call, accept, deadline.signal));
      if (!response.ok) {
        throw this.#refusal(call, response, parse(await response.text()));
      }
      return response;
    } catch (error) {
      throw this.#translate(error, deadline, call.signal);
    } finally {
      deadline.disarm();
    }
  }

  /** The API tells who has no token how to send one; people who use it through a program have only to sign in. */
  #refusal({ path }: Call, { status, headers }: Response, body: unknown): ApiError {
    const error = apiError(status, body, headers.get('retry-after'));
    const isSigningIn = path === '/api/auth/login' || path === '/api/auth/register';
    if (status !== 401 || this.#token !== undefined || isSigningIn) return error;
    return new ApiError(status, error.code, `not signed in to ${this.url}`, error.details);
  }

  async #request(call: Call, accept: string, signal: AbortSignal): Promise<Response> {
    const headers: Record<string, string> = { accept, ...call.headers };
    if (this.#token) headers.authorization = `Bearer ${this.#token}`;
    if (call.body !== undefined) headers['content-type'] = 'application/json';
    const response = await this.#fetch(this.address(call.path, call.query), {
      method: call.method,
      headers,
      signal,
      ...(call.body === undefined ? {} : { body: JSON.stringify(call.body) }),
      ...(call.content === undefined ? {} : sent(call.content)),
    });
    if (response.status === 401 && this.#token !== undefined) this.#onUnauthenticated();
    return response;
  }

  #translate(error: unknown, deadline: Deadline, outer: AbortSignal | undefined): unknown {
    if (error instanceof ApiError || outer?.aborted) return error;
    if (deadline.passed) {
      return new ConnectionError(this.url, 'timed_out', `no answer within ${this.timeoutMs / 1000} s`);
    }
    return connectionError(this.url, error);
  }
}

/**
 * A stream is sent as it comes, which `fetch` wants to be told. The other two say that it is never to be sent again:
 * without them Node keeps all of it in memory for a redirect that may follow.
 */
function sent(content: Content): RequestInit {
  if (!(content instanceof ReadableStream)) return { body: content };
  const streamed = { body: content, duplex: 'half', redirect: 'error', window: null };
  return streamed as RequestInit;
}

/** An abort signal that fires after a while or with another one. `AbortSignal.any` is missing in older browsers. */
class Deadline {
  passed = false;
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout> | undefined;
  readonly #outer: AbortSignal | undefined;
  readonly #forward = () => this.#controller.abort(this.#outer?.reason);

  /** `ms` null: only the other signal. */
  constructor(ms: number | null, outer: AbortSignal | undefined) {
    this.#outer = outer;
    if (ms !== null) {
      this.#timer = setTimeout(() => {
        this.passed = true;
        this.#controller.abort();
      }, ms);
    }
    if (outer?.aborted) this.#forward();
    outer?.addEventListener('abort', this.#forward);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The same, which ends with the signal: Node's own may wait for ever when it is aborted at the wrong moment. */
  guard<T>(work: Promise<T>): Promise<T> {
    const { signal } = this.#controller;
    return new Promise((resolve, reject) => {
      const stop = () => reject(signal.reason);
      if (signal.aborted) stop();
      signal.addEventListener('abort', stop);
      const settled = () => signal.removeEventListener('abort', stop);
      work.then(resolve, reject).finally(settled);
    });
  }

  /** Stops the clock but stays tied to the outer signal. */
  disarm(): void {
    clearTimeout(this.#timer);
  }

  end(): void {
    this.disarm();
    this.#outer?.removeEventListener('abort', this.#forward);
  }
}

/** Narrower than `mayPass`: what was slow once is not asked again by itself. */
function isJustAway(error: unknown): boolean {
  return isAway(error) && !(error instanceof ConnectionError && error.kind === 'timed_out');
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function queryText(query: Query): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== '') text.set(name, String(value));
  }
  return text.size === 0 ? '' : `?${text}`;
}

/** Resolves after `ms`; rejects with the signal's reason when that aborts first. */
export function pause(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const stop = () => {
      clearTimeout(timer);
      reject(signal?.reason);
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', stop);
      resolve();
    }, ms);
    if (signal?.aborted) stop();
    else signal?.addEventListener('abort', stop, { once: true });
  });
}
