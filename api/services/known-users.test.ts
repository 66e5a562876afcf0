import { beforeEach, describe, expect, it } from 'vitest';
import { newUser, type User } from '../../shared/model/user.ts';
import { FRESH_MS, KnownUsers } from './known-users.ts';

const alice = newUser({ id: 'user-1', username: 'alice', passwordHash: '', role: 'user', createdAt: 0 });
const changed: User = { ...alice, role: 'admin', revision: 1 };

let now = 0;
let stored: User | null = alice;
let asked = 0;
/** What the store says, once it is let. */
let answer: Promise<void> | null = null;
let known: KnownUsers;

beforeEach(() => {
  now = 1_000;
  stored = alice;
  asked = 0;
  answer = null;
  const get = async (id: string) => {
    asked += 1;
    const found = id === alice.id ? stored : null;
    await answer;
    return found;
  };
  known = new KnownUsers({ get }, { now: () => now, monotonic: () => now });
});

/** The store is slow until the function is called. */
function hold(): () => void {
  let go: () => void = () => undefined;
  answer = new Promise((done) => {
    go = done;
  });
  return go;
}

describe('an account', () => {
  it('is asked for once, until what is known of it is too old', async () => {
    expect(known.fresh(alice.id)).toBeNull();
    const both = await Promise.all([known.get(alice.id), known.get(alice.id)]);
    expect(both).toEqual([alice, alice]);
    now += FRESH_MS - 1;
    expect(known.fresh(alice.id)).toBe(alice);
    expect(asked).toBe(1);
    now += 1;
    stored = changed;
    expect(known.fresh(alice.id)).toBeNull();
    expect(await known.get(alice.id)).toBe(changed);
    expect(asked).toBe(2);
  });

  it('that is not there is asked for each time', async () => {
    for (let n = 0; n < 3; n += 1) expect(await known.get('nobody')).toBeNull();
    expect(asked).toBe(3);
  });

  it('that this process changes is known at once, whatever answer is still on its way', async () => {
    const heard: string[] = [];
    known.onChanged((id) => heard.push(id));
    const go = hold();
    const older = known.get(alice.id);
    known.changed(changed);
    go();
    expect(await older).toBe(alice);
    expect(known.fresh(alice.id)).toBe(changed);
    expect(heard).toEqual([alice.id]);
  });

  it('that another process changes is asked for anew, whatever answer is still on its way', async () => {
    const go = hold();
    const older = known.get(alice.id);
    known.forget(alice.id);
    stored = changed;
    const newer = known.get(alice.id);
    go();
    expect(await Promise.all([older, newer])).toEqual([alice, changed]);
    expect(known.fresh(alice.id)).toBe(changed);
  });

  it('that could not be had is asked for again', async () => {
    answer = Promise.reject(new Error('away'));
    await expect(known.get(alice.id)).rejects.toThrow('away');
    answer = null;
    expect(await known.get(alice.id)).toBe(alice);
  });

  it('goes when there are too many, the one read longest ago first', async () => {
    await known.get(alice.id);
    for (let n = 0; n < 10_000; n += 1) known.changed({ ...alice, id: `user-x${n}` });
    expect(known.fresh(alice.id)).toBeNull();
    expect(known.fresh('user-x0')).not.toBeNull();
    known.changed({ ...alice, id: 'user-y' });
    expect(known.fresh('user-x0')).toBeNull();
  });
});
