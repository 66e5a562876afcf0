import { EventEmitter } from 'node:events';
import fc from 'fast-check';
import { describe, expect, it, vi } from 'vitest';
import { HIGH_MARK, Outbox } from './outbox.ts';

/** Behaves as an engine.io socket: hands over what waits when the transport is writable. */
class Wire extends EventEmitter {
  readonly transport = { writable: true };
  readonly #buffer: string[] = [];
  handed: string[] = [];

  send(text: string): void {
    this.emit('packetCreate', { type: 'message', data: text });
    this.#buffer.push(text);
    this.#flush();
  }

  /** The peer has taken what was handed over. */
  written(): void {
    this.handed = [];
    this.transport.writable = true;
    this.#flush();
  }

  get unsent(): number {
    return [...this.handed, ...this.#buffer].reduce((sum, { length }) => sum + length, 0);
  }

  #flush(): void {
    if (!this.transport.writable || this.#buffer.length === 0) return;
    this.transport.writable = false;
    this.handed = this.#buffer.splice(0);
    this.emit('drain');
  }
}

const PIECE = 'x'.repeat(HIGH_MARK / 4);
const settled = () => new Promise<void>((done) => setImmediate(done));

/** A feed as there are many: admitted, emitted, released, again. */
async function pump(outbox: Outbox, wire: Wire, pieces: number, sent: number[] = []): Promise<number[]> {
  for (let n = 0; n < pieces; n += 1) {
    if (!(await outbox.admit(PIECE.length))) break;
    wire.send(PIECE);
    sent.push(n);
    outbox.release(PIECE.length);
  }
  return sent;
}

describe('the outbox of a socket', () => {
  it('lets everything through while the client reads', async () => {
    const wire = new Wire();
    const outbox = new Outbox(wire, () => undefined);
    for (let n = 0; n < 100; n += 1) {
      expect(outbox.admit(PIECE.length)).toBe(true);
      wire.send(PIECE);
      outbox.release(PIECE.length);
      wire.written();
    }
    expect(outbox.unsent).toBe(0);
  });

  it('holds back what a client does not read, and goes on when it does', async () => {
    const wire = new Wire();
    const outbox = new Outbox(wire, () => undefined);
    const sent: number[] = [];
    const done = pump(outbox, wire, 40, sent);
    await settled();
    expect(sent.length).toBeLessThan(8);
    expect(wire.unsent).toBeLessThanOrEqual(HIGH_MARK + PIECE.length);
    for (let n = 0; n < 40; n += 1) {
      wire.written();
      await settled();
      expect(wire.unsent).toBeLessThanOrEqual(HIGH_MARK + 2 * PIECE.length);
    }
    expect(await done).toHaveLength(40);
  });

  it('stays within its bound and never stalls, however many feeds share it and however the client reads', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 20 }),
        fc.array(fc.boolean(), { minLength: 1, maxLength: 60 }),
        async (feeds, reads) => {
          const wire = new Wire();
          const outbox = new Outbox(wire, () => undefined);
          const all = Array.from({ length: feeds }, () => pump(outbox, wire, 5));
          for (const read of reads) {
            if (read) wire.written();
            await settled();
            expect(wire.unsent).toBeLessThanOrEqual(HIGH_MARK + 2 * PIECE.length);
          }
          for (let n = 0; n < feeds * 5 + 1; n += 1) {
            wire.written();
            await settled();
          }
          for (const one of await Promise.all(all)) expect(one).toHaveLength(5);
          wire.written();
          expect(outbox.unsent).toBe(0);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('goes on when what was admitted is not sent after all', async () => {
    const wire = new Wire();
    const outbox = new Outbox(wire, () => undefined);
    for (let n = 0; n < 4; n += 1) expect(outbox.admit(PIECE.length)).toBe(true);
    const next = outbox.admit(PIECE.length);
    for (let n = 0; n < 4; n += 1) outbox.release(PIECE.length);
    expect(await next).toBe(true);
  });

  it('gives up a client that does not take what is sent without asking, once', () => {
    const wire = new Wire();
    const onOverflow = vi.fn();
    const outbox = new Outbox(wire, onOverflow);
    for (let n = 0; n < 1_000; n += 1) wire.send('y'.repeat(3_000));
    expect(onOverflow).not.toHaveBeenCalled();
    for (let n = 0; n < 1_000; n += 1) wire.send('y'.repeat(3_000));
    expect(onOverflow).toHaveBeenCalledTimes(1);
    expect(outbox.admit(1)).toBe(false);
    const many = new Wire();
    const onMany = vi.fn();
    new Outbox(many, onMany);
    for (let n = 0; n < 2_100; n += 1) many.send('');
    expect(onMany).toHaveBeenCalledTimes(1);
  });

  it('lets waiting feeds go when the socket closes', async () => {
    const wire = new Wire();
    const outbox = new Outbox(wire, () => undefined);
    const sent: number[] = [];
    const done = pump(outbox, wire, 40, sent);
    await settled();
    const before = sent.length;
    outbox.close();
    expect(await done).toHaveLength(before);
    expect(outbox.admit(1)).toBe(false);
    expect(wire.listenerCount('packetCreate') + wire.listenerCount('drain')).toBe(0);
  });
});
