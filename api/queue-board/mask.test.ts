import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BLOT, masked } from './mask.ts';

describe('what a board may show', () => {
  it.each([
    'env',
    'ENV',
    'secrets',
    'API_KEY',
    'apiKey',
    'access-token',
    'refreshToken',
    'password',
    'passwd',
    'Authorization',
    'aws_credentials',
    'PRIVATE_KEY',
    'set_cookie_secret',
  ])('has nothing of %s', (name) => {
    expect(masked({ [name]: 's3cret', list: [{ [name]: { deep: 's3cret' } }] })).toEqual({
      [name]: BLOT,
      list: [{ [name]: BLOT }],
    });
  });

  it.each(['name', 'environmental', 'author', 'key', 'timestamp', 'data'])('has %s as it is', (name) => {
    expect(masked({ [name]: 'shown' })).toEqual({ [name]: 'shown' });
  });

  it('says that nothing was given', () => {
    expect(masked({ env: null, token: '', password: undefined })).toEqual({
      env: null,
      token: '',
      password: undefined,
    });
  });

  it('ends at what refers to itself', () => {
    const loop: Record<string, unknown> = {};
    loop.again = loop;
    expect(JSON.stringify(masked(loop))).toContain(BLOT);
  });

  it('never has a secret, however deep it lies, and leaves all else alone', () => {
    const plain = fc.letrec((tie) => ({
      value: fc.oneof(
        { depthSize: 'small' },
        fc.integer(),
        fc.constantFrom('a', 'b'),
        fc.array(tie('value'), { maxLength: 3 }),
        fc.dictionary(fc.constantFrom('x', 'y', 'z'), tie('value')),
      ),
    })).value;
    fc.assert(
      fc.property(plain, (value) => {
        expect(masked(value)).toEqual(value);
        const text = JSON.stringify(masked({ outer: [{ secret: value, marked: { token: 'FIND-ME' } }] }));
        expect(text).not.toContain('FIND-ME');
        expect(JSON.parse(text).outer[0].secret).toBe(BLOT);
      }),
    );
  });
});
