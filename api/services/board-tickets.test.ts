import { describe, expect, it } from 'vitest';
import { newUser, type Role, type User } from '../../shared/model/user.ts';
import { BoardTickets, TICKET_SECONDS } from './board-tickets.ts';
import { SigningKeys } from './signing-keys.ts';

const SECRET = 'a-secret-of-these-tests-'.repeat(2);

function stage({ secret = SECRET } = {}) {
  const state: { role: Role; now: number; disabled: boolean; epoch: number; ended: string[] } = {
    role: 'admin',
    now: 1_700_000_000_000,
    disabled: false,
    epoch: 0,
    ended: [],
  };
  const user = (id: string): User => ({
    ...newUser({ id, username: 'root', passwordHash: '', role: state.role, createdAt: 0 }),
    disabled: state.disabled,
    signInEpoch: state.epoch,
    endedSignIns: state.ended.map((ended) => ({ id: ended, until: 2 ** 45 })),
  });
  const principal = () => ({ userId: 'user-1', username: 'root', role: state.role });
  const tickets = new BoardTickets({
    users: { get: async (id) => (id === 'user-1' ? user(id) : null) },
    sessions: { identify: async () => principal() },
    keys: new SigningKeys([secret]),
    clock: { now: () => state.now, monotonic: () => state.now },
  });
  return { state, tickets, principal };
}

describe('a ticket for the queue board', () => {
  it('names its holder until it runs out', async () => {
    const { state, tickets, principal } = stage();
    const ticket = await tickets.issue(principal(), 'sign-in-1');
    state.now += (TICKET_SECONDS - 1) * 1_000;
    expect(await tickets.identify(undefined, ticket)).toEqual(principal());
    state.now += 1_000;
    await expect(tickets.identify(undefined, ticket)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is of no use to who is no admin any more', async () => {
    const { state, tickets, principal } = stage();
    const ticket = await tickets.issue(principal(), 'sign-in-1');
    state.role = 'user';
    await expect(tickets.identify(undefined, ticket)).rejects.toMatchObject({ code: 'forbidden' });
    // A token may be older than the change.
    await expect(tickets.identify('Bearer old', undefined)).rejects.toMatchObject({ code: 'forbidden' });
    await expect(tickets.issue({ ...principal(), role: 'admin' }, null)).rejects.toMatchObject({
      code: 'forbidden',
    });
  });

  it('ends with the account, and with its sign-ins', async () => {
    const { state, tickets, principal } = stage();
    const ticket = await tickets.issue(principal(), 'sign-in-1');
    state.epoch = 1;
    await expect(tickets.identify(undefined, ticket)).rejects.toMatchObject({ code: 'unauthenticated' });
    const fresh = await tickets.issue(principal(), 'sign-in-1');
    expect(await tickets.identify(undefined, fresh)).toEqual(principal());
    state.disabled = true;
    await expect(tickets.identify(undefined, fresh)).rejects.toMatchObject({ code: 'forbidden' });
  });

  it('ends with the sign-in that it was made by, and with no other', async () => {
    const { state, tickets, principal } = stage();
    const ticket = await tickets.issue(principal(), 'sign-in-1');
    state.ended = ['sign-in-2'];
    expect(await tickets.identify(undefined, ticket)).toEqual(principal());
    state.ended = ['sign-in-1'];
    await expect(tickets.identify(undefined, ticket)).rejects.toMatchObject({ code: 'unauthenticated' });
  });

  it('is refused when another cluster made it', async () => {
    const { principal } = stage();
    const ticket = await stage({ secret: 'the-secret-of-another-cluster-'.repeat(2) }).tickets.issue(
      principal(),
      null,
    );
    await expect(stage().tickets.identify(undefined, ticket)).rejects.toMatchObject({
      code: 'unauthenticated',
    });
  });
});
