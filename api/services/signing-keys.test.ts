import { token as jwt } from '@hapi/jwt';
import { describe, expect, it } from 'vitest';
import { SigningKeys } from './signing-keys.ts';

const OLD = 'old-key-'.repeat(4);
const NEW = 'new-key-'.repeat(4);
const signedBy = (...keys: string[]) => new SigningKeys(keys).sign({ sub: 'user-1' });
const accepts = (token: string, ...keys: string[]) => {
  try {
    new SigningKeys(keys).verify(jwt.decode(token));
    return true;
  } catch {
    return false;
  }
};

describe('of several keys', () => {
  it('the first signs and all verify', () => {
    expect(accepts(signedBy(OLD), NEW, OLD)).toBe(true);
    expect(accepts(signedBy(NEW, OLD), OLD, NEW)).toBe(true);
    expect(accepts(signedBy(NEW, OLD), OLD)).toBe(false);
    expect(accepts(signedBy(OLD), NEW)).toBe(false);
  });

  it('a token names the one it was signed with, and not the key', () => {
    const header = (token: string) => jwt.decode(token).decoded.header as unknown as { kid: string };
    expect(header(signedBy(NEW, OLD)).kid).toMatch(/^[0-9a-f]{16}$/);
    expect(header(signedBy(NEW, OLD))).toEqual(header(signedBy(NEW)));
    expect(header(signedBy(OLD))).not.toEqual(header(signedBy(NEW)));
  });

  it('a token that names none, as those of earlier releases, is good with any of them', () => {
    const bare = jwt.generate({ sub: 'user-1' }, { key: OLD, algorithm: 'HS256' });
    expect(accepts(bare, NEW, OLD)).toBe(true);
    expect(accepts(bare, NEW)).toBe(false);
  });

  it('a token of another algorithm or of none is refused', () => {
    const other = jwt.generate({ sub: 'user-1' }, { key: OLD, algorithm: 'HS512' });
    const [, payload] = signedBy(OLD).split('.');
    const none = `${Buffer.from('{"alg":"none"}').toString('base64url')}.${payload}.`;
    expect([accepts(other, OLD), accepts(`${none}x`, OLD)]).toEqual([false, false]);
  });
});
