import type { IncomingMessage } from 'node:http';
import { describe, expect, it } from 'vitest';
import { isSameSite, tokenOfHandshake, tokenOfUpgrade } from './access.ts';

const upgrade = (url: string, headers: Record<string, string> = {}) =>
  tokenOfUpgrade({ url, headers } as unknown as IncomingMessage);

describe('the token of an upgrade', () => {
  it('is in the header, the subprotocols or the query, in this order', () => {
    const protocols = { 'sec-websocket-protocol': 'bearer, two' };
    expect(upgrade('/?token=three', { authorization: 'Bearer one', ...protocols })).toBe('one');
    expect(upgrade('/?token=three', protocols)).toBe('two');
    expect(upgrade('/ws/telemetry?a=b&token=th%72ee')).toBe('three');
    expect(upgrade('/', { 'sec-websocket-protocol': 'bearer' })).toBeUndefined();
    expect(upgrade('/', { 'sec-websocket-protocol': 'graphql-ws, x' })).toBeUndefined();
    expect(upgrade('/')).toBeUndefined();
    expect(upgrade('//[')).toBeUndefined();
  });

  it('in a header that is none is refused', () => {
    expect(() => upgrade('/', { authorization: 'Basic x' })).toThrow(/malformed/);
  });
});

describe('the token of a handshake', () => {
  it('is in what the client sent, or in the header', () => {
    expect(tokenOfHandshake({ token: 'one' }, { authorization: 'Bearer two' })).toBe('one');
    expect(tokenOfHandshake({}, { authorization: 'Bearer two' })).toBe('two');
    for (const auth of [undefined, null, {}, { token: '' }, { token: null }, 'text', 7, []]) {
      expect(tokenOfHandshake(auth, {})).toBeUndefined();
    }
    for (const token of [7, {}, [], true]) expect(() => tokenOfHandshake({ token }, {})).toThrow(/text/);
  });
});

describe('a request', () => {
  it('of a program, or of a page from here, is from the same site', () => {
    expect(isSameSite({ host: 'a:8080' })).toBe(true);
    expect(isSameSite({ host: 'a:8080', origin: 'http://a:8080' })).toBe(true);
    expect(isSameSite({ host: 'a', origin: 'https://a' })).toBe(true);
    expect(
      isSameSite({ host: 'inside:8080', 'x-forwarded-host': 'a.example', origin: 'https://a.example' }),
    ).toBe(true);
  });

  it('of a page from elsewhere is not', () => {
    for (const origin of ['http://b:8080', 'http://a:8081', 'null', '', 'a:8080', 'http://a:8080.evil']) {
      expect(isSameSite({ host: 'a:8080', origin }), origin).toBe(false);
    }
  });
});
