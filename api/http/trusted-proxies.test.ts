import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TrustedProxies } from './trusted-proxies.ts';

const proxies = new TrustedProxies(['10.0.0.0/8', '192.168.1.7', 'fd00::/8']);

describe('the address of a client', () => {
  it.each([
    ['nobody forwarded', '10.0.0.1', undefined, '10.0.0.1'],
    ['the proxy names it', '10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['several proxies were on the way', '10.0.0.1', '203.0.113.9, 192.168.1.7, 10.9.9.9', '203.0.113.9'],
    ['the client wrote some itself', '10.0.0.1', '1.2.3.4, 10.0.0.2, 203.0.113.9, 10.0.0.3', '203.0.113.9'],
    ['all on the way are trusted', '10.0.0.1', '10.0.0.3,10.0.0.2', '10.0.0.3'],
    ['the peer is no proxy', '203.0.113.5', '1.2.3.4', '203.0.113.5'],
    ['the peer is another machine of that network', '192.168.1.8', '1.2.3.4', '192.168.1.8'],
    ['it is of IPv6', '10.0.0.1', '2001:db8::1', '2001:db8::1'],
    ['it has a port', '10.0.0.1', '[2001:db8::1]:4711', '2001:db8::1'],
    ['an IPv4 one has a port', '10.0.0.1', '203.0.113.9:4711', '203.0.113.9'],
    ['the peer is told as IPv6', '::ffff:10.0.0.1', '203.0.113.9', '203.0.113.9'],
    ['the proxy is of IPv6', 'fd12::1', '203.0.113.9', '203.0.113.9'],
    ['a proxy is told as IPv6', '10.0.0.1', '203.0.113.9, ::ffff:10.0.0.2', '203.0.113.9'],
    ['the proxy did not know it', '10.0.0.1', 'unknown', '10.0.0.1'],
    ['an inner proxy did not know it', '10.0.0.1', '1.2.3.4, unknown, 10.0.0.2', '10.0.0.2'],
    ['nothing is said', '10.0.0.1', '', '10.0.0.1'],
    ['it is no address', '10.0.0.1', '300.1.2.3', '10.0.0.1'],
  ])('when %s', (_what, peer, forwarded, address) => {
    expect(proxies.addressOf(peer, forwarded)).toBe(address);
  });

  it('is that of the connection as long as no proxy is named', () => {
    expect(new TrustedProxies([]).addressOf('127.0.0.1', '203.0.113.9')).toBe('127.0.0.1');
  });

  it('is not changed by anything its sender writes', () => {
    const part = fc.oneof(
      fc.string(),
      fc.ipV4(),
      fc.ipV6(),
      fc.constantFrom(',', ', 10.0.0.1', '[', 'unknown'),
    );
    fc.assert(
      fc.property(fc.array(part), fc.constantFrom('203.0.113.9', '2001:db8::1'), (parts, client) => {
        const forwarded = `${parts.join(',')}, ${client}, 10.0.0.2`;
        expect(proxies.addressOf('10.0.0.1', forwarded)).toBe(client);
        expect(proxies.addressOf(client, parts.join(','))).toBe(client);
      }),
    );
  });
});

describe('TLS that ended at a proxy', () => {
  it('is believed to a trusted one alone, of what the last one says', () => {
    expect(proxies.saysHttps('10.0.0.1', 'https')).toBe(true);
    expect(proxies.saysHttps('10.0.0.1', 'http, HTTPS')).toBe(true);
    expect(proxies.saysHttps('10.0.0.1', 'https, http')).toBe(false);
    expect(proxies.saysHttps('10.0.0.1', undefined)).toBe(false);
    expect(proxies.saysHttps('203.0.113.9', 'https')).toBe(false);
  });
});
