import { describe, expect, it } from 'vitest';
import { Sending } from './sending.ts';

describe('a form that is sent', () => {
  const drawn = () => {
    const seen: boolean[] = [];
    const sending: Sending = new Sending({ requestUpdate: () => seen.push(sending.busy) });
    return { sending, seen };
  };

  it('goes once at a time, and is drawn before and after', async () => {
    const { sending, seen } = drawn();
    let sent = 0;
    const work = async () => {
      sent += 1;
    };
    await Promise.all([sending.run(work), sending.run(work)]);
    expect(sent).toBe(1);
    expect(seen).toEqual([true, false]);
  });

  it('keeps its fault until the next try or until it is forgotten', async () => {
    const { sending } = drawn();
    const fault = new Error('no');
    await sending.run(() => Promise.reject(fault));
    expect(sending).toMatchObject({ busy: false, error: fault });
    await sending.run(async () => expect(sending.error).toBeNull());
    expect(sending.error).toBeNull();
    await sending.run(() => Promise.reject(fault));
    sending.forget();
    expect(sending.error).toBeNull();
  });
});
