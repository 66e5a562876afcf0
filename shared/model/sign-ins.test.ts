import { expect, it } from 'vitest';
import { isEnded, MOST_ENDED, signedOut, signedOutOf } from './sign-ins.ts';
import { newUser } from './user.ts';

const alice = newUser({ id: 'user-1', username: 'alice', passwordHash: '', role: 'user', createdAt: 0 });

it('one sign-in is ended and the others stay', () => {
  const after = signedOutOf(alice, { id: 'a', until: 10 }, 0);
  expect([isEnded(after, 'a'), isEnded(after, 'b')]).toEqual([true, false]);
  expect(after.signInEpoch).toBe(alice.signInEpoch);
  expect(signedOutOf(after, { id: 'a', until: 10 }, 0)).toBe(after);
});

it('one is forgotten when its token has expired, and not before', () => {
  const one = signedOutOf(alice, { id: 'a', until: 10 }, 0);
  expect(isEnded(signedOutOf(one, { id: 'b', until: 20 }, 9), 'a')).toBe(true);
  expect(signedOutOf(one, { id: 'b', until: 20 }, 10).endedSignIns).toEqual([{ id: 'b', until: 20 }]);
});

it('so many that they are not remembered end all, so that none comes back', () => {
  let user = alice;
  for (let n = 0; n < MOST_ENDED; n += 1) user = signedOutOf(user, { id: `s${n}`, until: 10 }, 0);
  expect([user.endedSignIns.length, user.signInEpoch]).toEqual([MOST_ENDED, 0]);
  expect(signedOutOf(user, { id: 'last', until: 10 }, 0)).toEqual(signedOut(user));
  expect(signedOut(user)).toMatchObject({ signInEpoch: 1, endedSignIns: [] });
});
