import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { WebhookDelivery } from '../../../shared/model/webhook.ts';
import { choose, MAX_AT_ONCE, MAX_PER_HOST, MAX_PER_OWNER, receiverOf, Turns } from './choice.ts';

let count = 0;
const to = (host: string, ownerId: string): WebhookDelivery => ({
  id: `delivery-${count++}`,
  ownerId,
  webhookId: null,
  taskId: 'task-1',
  event: 'completed',
  url: `http://${host}/hook`,
  payload: '{}',
  state: 'pending',
  tries: [],
  nextAt: 0,
  revision: 1,
  createdAt: 0,
});
const deliveries = (maxLength: number) =>
  fc.array(
    fc
      .tuple(fc.constantFrom('a', 'b', 'b:81', 'c', 'd', 'e', 'f'), fc.constantFrom('u', 'v', 'w'))
      .map(([host, owner]) => to(host, owner)),
    { maxLength },
  );

const most = (all: readonly WebhookDelivery[], of: (one: WebhookDelivery) => string) =>
  Math.max(0, ...all.map((one) => all.filter((other) => of(other) === of(one)).length));

describe('the choice of what is sent', () => {
  it('keeps to all limits, loses nothing, and takes all it can', () => {
    fc.assert(
      fc.property(deliveries(40), deliveries(30), (due, begun) => {
        // What is under way kept to the limits too.
        const underWay = choose(begun, []).send;
        const { send, rest } = choose([...underWay, ...due], underWay);
        const all = [...underWay, ...send];
        expect(all.length).toBeLessThanOrEqual(MAX_AT_ONCE);
        expect(most(all, receiverOf)).toBeLessThanOrEqual(MAX_PER_HOST);
        expect(most(all, ({ ownerId }) => ownerId)).toBeLessThanOrEqual(MAX_PER_OWNER);
        expect([...send, ...rest].map(({ id }) => id).sort()).toEqual(due.map(({ id }) => id).sort());
        expect(choose(rest, all).send).toEqual([]);
      }),
    );
  });

  it('goes past a receiver that is busy to the next', () => {
    const due = [to('slow', 'u'), to('slow', 'u'), to('slow:1', 'u'), to('other', 'v')];
    const { send, rest } = choose(due, []);
    expect(send).toEqual([due[0], due[1], due[3]]);
    expect(rest).toEqual([due[2]]);
  });

  it('takes a url that cannot be read for a receiver of its own', () => {
    expect(choose([{ ...to('x', 'u'), url: 'http://' }], []).send).toHaveLength(1);
  });
});

describe('turns', () => {
  it('come one after the other, as far apart as the receiver is slow', () => {
    const turns = new Turns();
    turns.note('slow', 10_000);
    const first = turns.next('slow', 1_000_000);
    expect(turns.next('slow', 1_000_000) - first).toBe(5_000);
    expect(turns.next('unknown', 1_000_000)).toBe(1_002_010);
    expect(turns.next('slow', 9_000_000)).toBe(9_007_000);
  });

  it('follow a receiver that gets faster', () => {
    const turns = new Turns();
    turns.note('one', 10_000);
    for (let n = 0; n < 30; n += 1) turns.note('one', 10);
    expect(turns.next('one', 0)).toBeLessThan(2_010);
  });

  it('never come sooner than in two seconds', () => {
    fc.assert(
      fc.property(fc.array(fc.double({ min: 0, max: 10_000, noNaN: true })), (times) => {
        const turns = new Turns();
        for (const ms of times) turns.note('one', ms);
        expect(turns.next('one', 50)).toBeGreaterThanOrEqual(2_050);
      }),
    );
  });
});
