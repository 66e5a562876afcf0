import type { IncomingMessage } from 'node:http';
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { isAppError } from '../../shared/errors.ts';
import { failTricklingBody, LEAST_BYTES } from './slow-peers.ts';

const IDLE_MS = 1_000;

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function stage() {
  const req = { complete: false, socket: { bytesRead: 500 } };
  const body = new PassThrough();
  let fault: unknown = null;
  body.on('error', (error) => {
    fault = error;
  });
  failTricklingBody(req as unknown as IncomingMessage, body, IDLE_MS);
  const wait = () => vi.advanceTimersByTimeAsync(IDLE_MS);
  return { req, body, wait, fault: () => fault };
}

describe('a body', () => {
  it('that trickles fails', async () => {
    const { req, wait, fault } = stage();
    for (let n = 0; n < 3; n += 1) {
      req.socket.bytesRead += LEAST_BYTES;
      await wait();
    }
    expect(fault()).toBeNull();
    req.socket.bytesRead += LEAST_BYTES - 1;
    await wait();
    expect(isAppError(fault(), 'timed_out')).toBe(true);
  });

  it('does not when the store is what holds it up, nor when it is whole', async () => {
    const full = stage();
    full.body.write(Buffer.alloc(100_000));
    await full.wait();
    expect(full.fault()).toBeNull();
    full.body.resume();
    await full.wait();
    expect(full.fault()).not.toBeNull();
    const whole = stage();
    whole.req.complete = true;
    await whole.wait();
    expect(whole.fault()).toBeNull();
  });

  it('leaves nothing behind when it is over', async () => {
    const { body } = stage();
    body.destroy();
    await vi.advanceTimersByTimeAsync(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
