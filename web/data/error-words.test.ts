import { describe, expect, it } from 'vitest';
import { ApiError, ConnectionError } from '../../client/client.ts';
import { apiError } from '../../client/errors.ts';
import { errorWords } from './error-words.ts';

describe('an error in words', () => {
  it('is what the API says, which tells what to do, and no more', () => {
    for (const [status, code, message, what] of [
      [503, 'store_unavailable', 'the store does not answer; try again in a moment', /^The store does not/],
      [
        500,
        'internal',
        'something went wrong on our side; it has been logged',
        /^Something went wrong on our/,
      ],
      [403, 'forbidden', 'only an admin may do this', /^Only an admin may do this$/],
    ] as const) {
      const words = errorWords(new ApiError(status, code, message));
      expect(words).toEqual({ what: expect.stringMatching(what), advice: '' });
    }
  });

  it('says what to do where nobody else does: a proxy before an API that is away, and no answer at all', () => {
    expect(errorWords(apiError(502, undefined, null))).toEqual({
      what: 'The server answered 502',
      advice: 'The API may be restarting. This page goes on trying.',
    });
    const away = new ConnectionError('http://x', 'unreachable', 'connection refused');
    expect(errorWords(away).advice).toContain('check your network');
  });

  it('tells a fault of the page from one of the API', () => {
    expect(errorWords(new TypeError('x is not a function'))).toEqual({
      what: 'Something went wrong in this page',
      advice: 'x is not a function',
    });
  });
});
