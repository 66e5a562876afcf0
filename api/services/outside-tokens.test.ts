// Tokens as anybody may send them: garbage, parts of good ones, good ones with something changed. None lets anybody in, and each
// is refused in words that say what to do; nothing else is ever thrown.

import { createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../shared/errors.ts';
import { newUser, type User } from '../../shared/model/user.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { UserStore } from '../../shared/ports/store.ts';
import { KnownUsers } from './known-users.ts';
import { bearerToken, Sessions } from './sessions.ts';
import { SigningKeys } from './signing-keys.ts';

const KEY = 'a-key-of-this-cluster-'.repeat(2);
const OTHER_KEY = 'a-key-of-another-cluster-'.repeat(2);
const RUNS = { numRuns: 500 };
const alice: User = {
  ...newUser({ id: 'user-1', username: 'alice', passwordHash: '', role: 'admin', createdAt: 1 }),
  signInEpoch: 2,
};

const users = {
  get: async (id: string) => (id === alice.id ? alice : null),
  findTokenByHash: async () => null,
} as Partial<UserStore> as UserStore;
const sessionsWith = (key: string) =>
  new Sessions({
    users,
    known: new KnownUsers(users, systemClock),
    keys: new SigningKeys([key]),
    ttlSeconds: 600,
    clock: systemClock,
    log: silentLog(),
  });
const sessions = sessionsWith(KEY);
const good = sessions.issue(alice).token;

const encode = (value: unknown) => Buffer.from(JSON.stringify(value) ?? '').toString('base64url');
const decode = (part: string) => JSON.parse(Buffer.from(part, 'base64url').toString());
const [head = '', body = '', signature = ''] = good.split('.');
/** Signed as it should be, with whatever key. */
function signed(header: unknown, payload: unknown, key = KEY): string {
  const text = `${encode(header)}.${encode(payload)}`;
  return `${text}.${createHmac('sha256', key).update(text).digest('base64url')}`;
}

async function refusalOf(header: string | undefined): Promise<string> {
  try {
    await sessions.identify(header);
  } catch (error) {
    if (!isAppError(error, 'unauthenticated')) throw error;
    return error.message;
  }
  return 'LET IN';
}
async function isRefused(header: string | undefined): Promise<void> {
  const why = await refusalOf(header);
  expect(why).not.toBe('LET IN');
  expect(why).toMatch(/log in|must read|make a new one|register|ask an admin/);
  // No part of what was sent is repeated.
  expect(why).not.toContain(signature);
}

const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...'eyJ.-_{}":,Bearer cloudai0'), maxLength: 200 }),
);

describe('a good token', () => {
  it('lets in, so that what follows means something', async () => {
    expect(await refusalOf(`Bearer ${good}`)).toBe('LET IN');
    expect(await refusalOf(`bearer   ${good} `)).toBe('LET IN');
    expect(await refusalOf(`Bearer ${signed(decode(head), decode(body))}`)).toBe('LET IN');
  });
});

describe('anything else', () => {
  it('in the header is refused', () =>
    fc.assert(
      fc.asyncProperty(
        fc.oneof(
          text,
          text.map((one) => `Bearer ${one}`),
        ),
        (header) => isRefused(header),
      ),
      RUNS,
    ));

  it('that is read as a header is text without spaces, or refused', () => {
    fc.assert(
      fc.property(fc.option(text, { nil: undefined }), (header) => {
        try {
          expect(bearerToken(header)).toMatch(/^\S{1,4096}$/);
        } catch (error) {
          if (!isAppError(error, 'unauthenticated')) throw error;
        }
      }),
      RUNS,
    );
  });

  it('made of a good token by a change is refused', () => {
    const at = fc.nat({ max: good.length - 1 });
    const changed = fc.oneof(
      // A sign in another place: the last one of a signature has bits that mean nothing.
      fc
        .tuple(fc.nat({ max: good.length - 2 }), fc.constantFrom(...'ABCxyz019-_.='))
        .map(([place, sign]) =>
          good[place] === sign ? '' : good.slice(0, place) + sign + good.slice(place + 1),
        ),
      at.map((to) => good.slice(0, to)),
      at.map((from) => good.slice(from + 1)),
      fc
        .tuple(at, text)
        .map(([place, more]) => good.slice(0, place) + (more.trim() || 'x') + good.slice(place)),
      fc.tuple(text, text, text).map((parts) => parts.join('.')),
      text.map((part) => `${head}.${body}.${part}`),
      text.map((part) => `${head}.${part}.${signature}`),
      text.map((part) => `${part}.${body}.${signature}`),
      fc.constantFrom(`${head}.${body}.`, `${head}.${body}`, `${good}.${good}`, `${good}.`, `.${good}`),
    );
    return fc.assert(
      fc.asyncProperty(changed, (token) => isRefused(`Bearer ${token}`)),
      RUNS,
    );
  });

  it('with another header is refused, whatever algorithm it names', () => {
    const algorithm = fc.constantFrom(
      'none',
      'None',
      '',
      'HS384',
      'HS512',
      'RS256',
      'ES256',
      'hs256',
      null,
      256,
    );
    const other = fc.oneof(
      algorithm.map((alg) => ({ ...decode(head), alg })),
      fc.record({ alg: algorithm, kid: fc.constantFrom(undefined, '', KEY, '../../key', 1) }),
      fc.constantFrom(OTHER_KEY, '').map((kid) => ({ alg: 'HS256', typ: 'JWT', kid })),
      fc.jsonValue(),
    );
    return fc.assert(
      fc.asyncProperty(other, fc.constantFrom(KEY, ''), fc.boolean(), async (header, key, isBare) => {
        const token = signed(header, decode(body), key || 'x');
        await isRefused(`Bearer ${isBare ? token.replace(/[^.]*$/, '') : token}`);
      }),
      RUNS,
    );
  });

  it('signed by another cluster is refused, whoever it says it is', async () => {
    await isRefused(`Bearer ${sessionsWith(OTHER_KEY).issue(alice).token}`);
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), (payload) =>
        isRefused(`Bearer ${signed(decode(head), payload, OTHER_KEY)}`),
      ),
      { numRuns: 100 },
    );
  });

  it('signed by this cluster and not for this, or for nobody, is refused', () => {
    const whole = decode(body) as Record<string, unknown>;
    const odd = fc.oneof(
      fc.constantFrom(undefined, null, '', 0, -1, true, 'cloudai', [], {}),
      fc.jsonValue(),
      fc.string(),
    );
    const name = fc.constantFrom('iss', 'aud', 'sub', 'name', 'role', 'epoch', 'exp');
    return fc.assert(
      fc.asyncProperty(name, odd, async (field, value) => {
        const payload = { ...whole, [field]: value };
        const isHarmless =
          // A name and a role are not taken from the token, but must be there; a later end is still an end.
          (field === 'name' && typeof value === 'string') ||
          (field === 'role' && ['admin', 'user', 'viewer'].includes(String(value))) ||
          (field === 'exp' && typeof value === 'number' && value > Date.now() / 1000) ||
          JSON.stringify(value) === JSON.stringify(whole[field]) ||
          // Some readings of one audience.
          (field === 'aud' && Array.isArray(value) && (value as unknown[]).includes(whole.aud));
        if (!isHarmless) await isRefused(`Bearer ${signed(decode(head), payload)}`);
      }),
      RUNS,
    );
  });
});
