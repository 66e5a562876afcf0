import Boom from '@hapi/boom';
import { describe, expect, it } from 'vitest';
import { AppError, ERROR_CODES } from '../shared/errors.ts';
import { errorReply } from './errors.ts';

describe('an error reply', () => {
  it.each(ERROR_CODES)('has a status for %s, and words only where they are meant for the caller', (code) => {
    const { body, headers, severity } = errorReply(new AppError(code, 'the words', { retryable: true }));
    expect(body.code).toBe(code);
    expect(body.statusCode).toBeGreaterThanOrEqual(400);
    const isOurs = /_unavailable$|^disk_full$/.test(code) || body.statusCode === 500;
    expect(body.message === 'the words').toBe(!isOurs);
    expect(severity).toBe(body.statusCode === 500 ? 'error' : body.statusCode === 503 ? 'warn' : null);
    expect('retry-after' in headers).toBe([429, 503].includes(body.statusCode));
    expect('www-authenticate' in headers).toBe(body.statusCode === 401);
  });

  it('says how long to wait, in whole seconds', () => {
    const error = new AppError('locked_out', 'wait', { retryAfterSeconds: 1.2 });
    expect(errorReply(error).headers['retry-after']).toBe('2');
  });

  it('keeps quotes and line ends out of headers', () => {
    const details = [{ field: 'authorization', message: '' }];
    const error = new AppError('unauthenticated', 'say "x"\r\nSet-Cookie: a=b', { details });
    expect(errorReply(error).headers['www-authenticate']).toBe(
      `Bearer realm="cloudai", error="invalid_token", error_description="say 'x'''Set-Cookie: a=b"`,
    );
  });

  it.each<[string, unknown, number, string]>([
    ['a plain error', new Error('inside'), 500, 'internal'],
    ['nothing at all', undefined, 500, 'internal'],
    ['an error that hapi wrapped', Boom.boomify(new TypeError('inside')), 500, 'internal'],
    ['a refusal of hapi', Boom.entityTooLarge('Payload content length greater than 5'), 413, 'too_large'],
    ['an answer that took too long', Boom.serverUnavailable(), 503, 'timed_out'],
    ['a broken request', Boom.badRequest('Invalid path'), 400, 'invalid_request'],
    ['a strange status', Boom.teapot(), 418, 'invalid_request'],
  ])('for %s', (_what, error, status, code) => {
    const { body } = errorReply(error);
    expect(body).toMatchObject({ statusCode: status, code, details: [] });
    expect(body.message).not.toContain('inside');
  });

  it('is short, however much is wrong', () => {
    const details = Array.from({ length: 5_000 }, (_, n) => ({
      field: `${n}`.repeat(500),
      message: 'x'.repeat(5_000),
    }));
    const { body } = errorReply(new AppError('invalid_request', 'y'.repeat(100_000), { details }));
    expect(body.details).toHaveLength(101);
    expect(JSON.stringify(body).length).toBeLessThan(80_000);
  });
});
