import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressText, isLoopbackHost, readWorkerAddress } from './worker-address.ts';

const read = (text: string) => readWorkerAddress(text, 50_052);
const textOf = (text: string) => {
  const found = read(text);
  return found.ok ? addressText(found.address) : found.fault;
};

describe('an address', () => {
  it.each([
    ['192.168.1.102:50052', '192.168.1.102:50052'],
    ['192.168.1.102', '192.168.1.102:50052'],
    [' Worker-3.Example.:9000 ', 'worker-3.example:9000'],
    ['gpu_box', 'gpu_box:50052'],
    ['[FD00:0:0::3]:50053', '[fd00::3]:50053'],
    ['[::1]', '[::1]:50052'],
    ['localhost:1', 'localhost:1'],
  ])('%j is %s', (given, text) => {
    expect(textOf(given)).toBe(text);
  });

  it.each([
    ['', 'must name a host'],
    [':50052', 'must name a host'],
    ['http://10.0.0.1:50052', 'without "http://"'],
    ['10.0.0.1:50052/x', 'without "http://"'],
    ['10.0.0.1:0', 'the port "0"'],
    ['10.0.0.1:70000', 'the port "70000"'],
    ['10.0.0.1:', 'the port ""'],
    ['10.0.0.1:5e3', 'the port "5e3"'],
    ['fd00::3', 'IPv6 address in brackets'],
    ['[fd00::3', 'a host and a port'],
    ['[fd00::3%eth0]:1', 'no IPv6 address in its brackets'],
    ['[10.0.0.1]:1', 'no IPv6 address in its brackets'],
    ['10.0.0.300', 'no IPv4 address'],
    ['10.0.1', 'no IPv4 address'],
    ['010.0.0.1', 'no IPv4 address'],
    ['a b', 'no host name'],
    ['-a', 'no host name'],
    ['user@host', 'no host name'],
    ['a:1:2', 'a host and a port'],
    ['0.0.0.0:50052', 'names none'],
    ['[::]:50052', 'names none'],
  ])('%j is refused: %s', (given, why) => {
    expect(read(given).ok).toBe(false);
    expect(textOf(given)).toContain(why);
  });

  it('never throws, and its text is read as the same address again', () => {
    const pieces = fc.constantFrom(
      'a',
      '1',
      '.',
      ':',
      '[',
      ']',
      '::',
      '%',
      '/',
      '@',
      ' ',
      'ä',
      '-',
      '255',
      'fd00',
    );
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(pieces).map((some) => some.join('')),
          fc.ipV4(),
          fc.ipV6(),
        ),
        (text) => {
          const found = read(text);
          if (found.ok) expect(read(addressText(found.address))).toEqual(found);
          else expect(found.fault).not.toBe('');
        },
      ),
    );
  });
});

describe('loopback', () => {
  it.each([
    'localhost',
    'LocalHost',
    'a.localhost',
    '127.0.0.1',
    '127.9.9.9',
    '::1',
    '[::1]',
    '0.0.0.0',
    '[::ffff:127.0.0.1]',
  ])('is %s', (host) => {
    expect(isLoopbackHost(host)).toBe(true);
  });

  it.each(['10.0.0.1', 'redis', 'notlocalhost', 'fd00::1', '[fe80::1]', '128.0.0.1', ''])(
    'is not %j',
    (host) => {
      expect(isLoopbackHost(host)).toBe(false);
    },
  );
});
