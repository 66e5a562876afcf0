import { describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/errors.ts';
import { AddressRules } from './address-rules.ts';

const strict = new AddressRules([]);
const refusalOf = (url: string, rules = strict) => rules.refusalOfUrl(new URL(url));
const at = (url: string, address: string, rules = strict) => rules.refusalOfAddress(new URL(url), address);

describe('a url', () => {
  it.each([
    ['http://127.0.0.1/', 'loopback'],
    ['http://127.8.9.1:9000/x', 'loopback'],
    ['http://2130706433/', 'loopback'],
    ['http://0x7f.1/', 'loopback'],
    ['http://0177.0.0.1/', 'loopback'],
    ['http://[::1]/', 'loopback'],
    ['https://[::ffff:127.0.0.1]/', 'loopback'],
    ['http://[::127.0.0.1]/', 'unspecified'],
    ['http://0.0.0.0/', 'unspecified'],
    ['http://0/', 'unspecified'],
    ['http://[::]/', 'unspecified'],
    ['http://[::ffff:0.0.0.0]/', 'unspecified'],
    ['http://169.254.169.254/latest/meta-data', 'link-local'],
    ['http://[fe80::1]/', 'link-local'],
    ['http://[::ffff:169.254.169.254]/', 'link-local'],
    ['http://[64:ff9b::127.0.0.1]/', 'loopback'],
    ['http://[64:ff9b::169.254.169.254]/', 'link-local'],
    ['http://224.0.0.1/', 'multicast'],
    ['http://239.255.255.250/', 'multicast'],
    ['http://255.255.255.255/', 'broadcast'],
    ['http://[ff02::1]/', 'multicast'],
    ['http://localhost/', 'loopback'],
    ['http://LOCALHOST.:8080/', 'loopback'],
    ['http://a.localhost/', 'loopback'],
  ])('%s is refused: %s', (url, kind) => {
    expect(refusalOf(url)).toContain(kind);
    expect(refusalOf(url)).toContain('WEBHOOK_ALLOW');
  });

  it.each([
    'http://10.1.2.3/',
    'http://192.168.0.10:9000/',
    'http://172.16.0.1/',
    'https://93.184.216.34/',
    'http://[2001:db8::1]/',
    'http://[fd00::1]/',
    'http://[64:ff9b::10.0.0.1]/',
    'https://receiver.example/hook',
    'http://notlocalhost/',
  ])('%s may be tried', (url) => {
    expect(refusalOf(url)).toBeNull();
  });
});

describe('the address a name leads to', () => {
  it('decides, and the refusal names both', () => {
    expect(at('http://receiver.example/', '10.0.0.1')).toBeNull();
    expect(at('http://receiver.example/', '127.0.0.1')).toBe(
      'receiver.example leads to 127.0.0.1, a loopback address; WEBHOOK_ALLOW does not let it',
    );
    expect(at('http://receiver.example/', '::ffff:7f00:1')).toContain('loopback');
    expect(at('http://receiver.example/', 'fe80::1%eth0')).toContain('link-local');
    expect(at('http://receiver.example/', 'nonsense')).toContain('not an address');
  });
});

describe('WEBHOOK_ALLOW', () => {
  it('lets an address, with any port or with one', () => {
    const any = new AddressRules(['127.0.0.1']);
    expect(refusalOf('http://127.0.0.1:1234/', any)).toBeNull();
    expect(refusalOf('http://127.0.0.2/', any)).not.toBeNull();
    expect(refusalOf('http://localhost/', any)).toBeNull();
    expect(at('http://receiver.example/', '::1', any)).not.toBeNull();
    const one = new AddressRules(['127.0.0.1:9000', '[::1]:9000']);
    expect(refusalOf('http://127.0.0.1:9000/', one)).toBeNull();
    expect(refusalOf('http://[::1]:9000/', one)).toBeNull();
    expect(refusalOf('http://127.0.0.1/', one)).not.toBeNull();
    expect(refusalOf('http://127.0.0.1:80/', new AddressRules(['127.0.0.1:80']))).toBeNull();
    expect(refusalOf('https://127.0.0.1/', new AddressRules(['127.0.0.1:443']))).toBeNull();
  });

  it('lets a network', () => {
    const rules = new AddressRules(['127.0.0.0/8', '::1/128', 'fe80::/10']);
    for (const url of ['http://127.9.9.9/', 'http://[::1]/', 'http://[fe80::7]/']) {
      expect(refusalOf(url, rules)).toBeNull();
    }
    expect(refusalOf('http://169.254.1.1/', rules)).not.toBeNull();
  });

  it('lets a name, wherever it leads, and no other', () => {
    const rules = new AddressRules(['Receiver.Local:9000', 'localhost']);
    expect(at('http://receiver.local:9000/', '127.0.0.1', rules)).toBeNull();
    expect(at('http://receiver.local:9001/', '127.0.0.1', rules)).not.toBeNull();
    expect(at('http://other.local:9000/', '127.0.0.1', rules)).not.toBeNull();
    expect(refusalOf('http://localhost:5/', rules)).toBeNull();
    expect(refusalOf('http://x.localhost:5/', rules)).not.toBeNull();
  });

  it.each([
    '10.0.0.0/33',
    '::1/129',
    '300.1.1.1',
    '10.0.0',
    'a b',
    'http://x',
    'x:0',
    'x:70000',
    '[::1',
    '*.example',
    'a/8',
    '-/',
  ])('with the entry %j is a wrong setting', (entry) => {
    const fault = caught(() => new AddressRules(['ok.example', entry]));
    expect(fault).toMatchObject({ code: 'bad_config', details: [{ field: 'WEBHOOK_ALLOW' }] });
    expect(fault.message).toContain(entry);
    expect(fault.message).not.toContain('ok.example');
  });
});

function caught(make: () => unknown): AppError {
  try {
    make();
  } catch (error) {
    if (error instanceof AppError) return error;
    throw error;
  }
  throw new Error('it was taken');
}
