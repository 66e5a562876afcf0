import { describe, expect, it } from 'vitest';
import { PasswordHasher } from './passwords.ts';

/** What a hash says does not depend on its cost. */
const CHEAP = { log2Cost: 4 };

describe('a password hash', () => {
  const hasher = new PasswordHasher(CHEAP);

  it('verifies its password and no other', async () => {
    const stored = await hasher.hash('correct horse');
    expect(await hasher.verify('correct horse', stored)).toBe(true);
    expect(await hasher.verify('correct horsf', stored)).toBe(false);
    expect(await hasher.hash('correct horse')).not.toBe(stored);
  });

  it('costs what it should, also when there is none to verify', async () => {
    const dear = new PasswordHasher();
    const stored = await dear.hash('correct horse');
    expect(stored).toMatch(/^\$scrypt\$ln=15,r=8,p=3\$/);
    expect(await hasher.verify('correct horse', stored)).toBe(true);
    const cpuOf = async (work: Promise<unknown>) => {
      const before = process.cpuUsage();
      await work;
      return process.cpuUsage(before).user;
    };
    expect(await cpuOf(dear.verify('x', null))).toBeGreaterThan(5 * (await cpuOf(hasher.verify('x', null))));
  });

  it('takes the same characters however they were typed', async () => {
    expect(await hasher.verify('cafe\u0301', await hasher.hash('caf\u00e9'))).toBe(true);
  });

  it('goes by the parameters that are stored with it', async () => {
    // scrypt("password", "NaCl…", N = 1024, r = 8, p = 16) of RFC 7914, section 12.
    const key = Buffer.from(
      'fdbabe1c9d3472007856e7190d01e9fe7c6ad7cbc8237830e77376634b3731622eaf30d92e22a3886ff109279d9830dac727afb94a83ee6d8360cbdfa2cc0640',
      'hex',
    ).toString('base64');
    const stored = `$scrypt$ln=10,r=8,p=16$${Buffer.from('NaCl').toString('base64')}$${key}`;
    expect(await hasher.verify('password', stored)).toBe(true);
    expect(await hasher.verify('Password', stored)).toBe(false);
  });

  it('never fits when there is none', async () => {
    expect(await hasher.verify('', null)).toBe(false);
  });

  it('refuses work beyond its bounded line', async () => {
    const narrow = new PasswordHasher({ ...CHEAP, atOnce: 1, maxWaiting: 2 });
    const all = await Promise.allSettled(Array.from({ length: 8 }, () => narrow.verify('x', null)));
    const refused = all.filter((one) => one.status === 'rejected');
    expect(refused).toHaveLength(8 - 1 - 2);
    expect(refused[0]?.reason).toMatchObject({ code: 'rate_limited', retryable: true });
    expect(await narrow.verify('x', null)).toBe(false);
  });
});
