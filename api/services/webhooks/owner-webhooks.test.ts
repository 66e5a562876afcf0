import { describe, expect, it } from 'vitest';
import type { Webhook } from '../../../shared/model/webhook.ts';
import { OwnerWebhooks } from './owner-webhooks.ts';

function stage() {
  const asked: string[] = [];
  const answers: ((webhooks: Webhook[]) => void)[] = [];
  let now = 0;
  const owners = new OwnerWebhooks(
    {
      list: (ownerId) => {
        asked.push(ownerId);
        return new Promise((done) => answers.push(done));
      },
    },
    { monotonic: () => now },
  );
  return {
    owners,
    asked,
    answer: async (webhooks: Webhook[] = []) => {
      answers.shift()?.(webhooks);
      await new Promise((done) => setImmediate(done));
    },
    pass: (ms: number) => {
      now += ms;
    },
  };
}

const webhook: Webhook = {
  id: 'webhook-1',
  ownerId: 'u',
  url: 'http://a/',
  events: ['failed'],
  createdAt: 0,
};

describe('webhooks of an owner', () => {
  it('are looked up once for all who ask within some seconds', async () => {
    const { owners, asked, answer, pass } = stage();
    expect(owners.known('u')).toBeUndefined();
    const both = Promise.all([owners.of('u'), owners.of('u')]);
    expect(owners.known('u')).toBeUndefined();
    await answer([webhook]);
    expect(await both).toEqual([[webhook], [webhook]]);
    expect(owners.known('u')).toEqual([webhook]);
    pass(4_999);
    expect(await owners.of('u')).toEqual([webhook]);
    expect(asked).toEqual(['u']);
    pass(1);
    expect(owners.known('u')).toBeUndefined();
    void owners.of('u');
    expect(asked).toEqual(['u', 'u']);
  });

  it('that change while they are looked up are looked up again', async () => {
    const { owners, asked, answer } = stage();
    void owners.of('u');
    owners.forget('u');
    void owners.of('u');
    expect(asked).toHaveLength(2);
    await answer([]);
    expect(owners.known('u')).toBeUndefined();
    await answer([webhook]);
    expect(owners.known('u')).toEqual([webhook]);
  });

  it('are not kept after a fault', async () => {
    let faults = 1;
    const owners = new OwnerWebhooks(
      {
        list: async () => {
          if (faults-- > 0) throw new Error('away');
          return [webhook];
        },
      },
      { monotonic: () => 0 },
    );
    await expect(owners.of('u')).rejects.toThrow('away');
    expect(await owners.of('u')).toEqual([webhook]);
  });
});
