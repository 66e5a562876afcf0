// One HTTP exchange with a machine an admin has named. What answers may be anything: the reply is bounded in size and
// time, redirects are not followed, and nothing of it is believed here but that it is JSON.

import http, { type IncomingMessage } from 'node:http';
import { addressText, type WorkerAddress } from '../../../shared/model/worker-address.ts';
import { connectionFault } from '../connection-fault.ts';

const REPLY_MAX_BYTES = 16_384;
const HEADERS_MAX_BYTES = 8_192;

/** Nobody is there, or not in time. Trying again may help. */
export class NoAnswer extends Error {}
/** Somebody is there, and it is no runner that waits. */
export class NotARunner extends Error {}

export interface PeerReply {
  readonly status: number;
  readonly body: unknown;
}

export interface Ask {
  readonly address: WorkerAddress;
  readonly path: string;
  readonly body: unknown;
  readonly connectMs: number;
  /** For the answer, from the connection on. */
  readonly answerMs: number;
  /** Gives it up. */
  readonly signal: AbortSignal;
}

/** @throws NoAnswer, NotARunner */
export async function askPeer({ address, path, body, connectMs, answerMs, signal }: Ask): Promise<PeerReply> {
  const text = JSON.stringify(body);
  const request = http.request({
    host: address.host,
    port: address.port,
    path,
    method: 'POST',
    agent: false,
    maxHeaderSize: HEADERS_MAX_BYTES,
    signal,
    headers: {
      host: addressText(address),
      'content-type': 'application/json',
      'content-length': Buffer.byteLength(text),
    },
  });
  const late = (what: string, ms: number) => () =>
    request.destroy(new NoAnswer(`${what} within ${ms / 1_000} s`));
  let timer = setTimeout(late('no connection', connectMs), connectMs);
  request.once('socket', (socket) =>
    socket.once('connect', () => {
      clearTimeout(timer);
      timer = setTimeout(late('no answer', answerMs), answerMs);
    }),
  );
  try {
    const response = await new Promise<IncomingMessage>((answered, failed) => {
      request.once('response', answered);
      request.on('error', failed);
      // An answer that switches to another protocol is dropped without a word.
      request.once('close', () => failed(new NotARunner()));
      request.end(text);
    });
    return { status: response.statusCode ?? 0, body: await read(response) };
  } catch (error) {
    throw known(error);
  } finally {
    clearTimeout(timer);
    request.destroy();
  }
}

async function read(response: IncomingMessage): Promise<unknown> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of response) {
    bytes += (chunk as Buffer).length;
    if (bytes > REPLY_MAX_BYTES) throw new NotARunner();
    chunks.push(chunk as Buffer);
  }
  try {
    return JSON.parse(Buffer.concat(chunks).toString('utf8'));
  } catch {
    throw new NotARunner();
  }
}

function known(error: unknown): Error {
  if (error instanceof NoAnswer || error instanceof NotARunner) return error;
  // Node's parser: what came is no HTTP, or its head is too large.
  const { code } = error as { code?: unknown };
  if (typeof code === 'string' && code.startsWith('HPE_')) return new NotARunner();
  return new NoAnswer(connectionFault(error));
}
