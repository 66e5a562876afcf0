import { MongoInvalidArgumentError, MongoNetworkError, MongoServerError } from 'mongodb';
import { describe, expect, it } from 'vitest';
import { asAppError } from './errors.ts';

const away = { code: 'store_unavailable', retryable: true };
const ours = { code: 'internal', retryable: false };

describe('a fault of the database', () => {
  it('that is one of the connection passes, also as Node says it', () => {
    // Error: This socket has been ended by the other party
    const ended = Object.assign(new Error('This socket has been ended by the other party'), {
      code: 'EPIPE',
    });
    expect(asAppError(ended)).toMatchObject(away);
    expect(asAppError(new MongoNetworkError('connection 3 to 127.0.0.1:27017 closed'))).toMatchObject(away);
    expect(asAppError(new MongoServerError({ message: 'going down', code: 91 }))).toMatchObject(away);
  });

  it('that no waiting mends is one of this code', () => {
    expect(asAppError(new MongoInvalidArgumentError('no such option'))).toMatchObject(ours);
    expect(asAppError(new TypeError('x is not a function'))).toMatchObject(ours);
    expect(asAppError(null)).toMatchObject(ours);
  });
});
