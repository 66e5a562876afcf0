import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { attachment } from './content-disposition.ts';
import { contentTypeOf, sha256Of } from './upload-headers.ts';

const type = (sent: string | undefined, path = 'a/data.csv') => contentTypeOf({ 'content-type': sent }, path);

describe('the type of an upload', () => {
  it.each([
    'text/html',
    'text/plain; charset=utf-8',
    'application/vnd.api+json',
    'multipart/form-data; boundary="a b"',
    'application/json',
  ])('is the one that was sent: %s', (sent) => {
    expect(type(sent)).toBe(sent);
  });

  it.each([undefined, '', 'application/octet-stream', 'application/x-www-form-urlencoded'])(
    'goes with the name where %j was sent',
    (sent) => {
      expect(type(sent)).toBe('text/csv');
      expect(type(sent, 'a/model')).toBe('application/octet-stream');
    },
  );

  it.each(['text', 'text/', 'a b/c', 'text/html\r\nx: y', 'text/html; x', `text/${'x'.repeat(300)}`])(
    'cannot be %j',
    (sent) => {
      expect(() => type(sent)).toThrow(/Content-Type/);
    },
  );
});

describe('the checksum of an upload', () => {
  const sum = createHash('sha256').update('hello').digest();
  const hex = sum.toString('hex');
  const digest = `sha-256=:${sum.toString('base64')}:`;

  it('is read from either header', () => {
    expect(sha256Of({})).toBeNull();
    expect(sha256Of({ 'x-checksum-sha256': hex.toUpperCase() })).toBe(hex);
    expect(sha256Of({ 'content-digest': digest })).toBe(hex);
    expect(sha256Of({ 'content-digest': `md5=:AAAA:, ${digest}` })).toBe(hex);
    expect(sha256Of({ 'content-digest': digest, 'x-checksum-sha256': hex })).toBe(hex);
  });

  it.each([
    [{ 'x-checksum-sha256': 'abc' }],
    [{ 'content-digest': 'sha-512=:AAAA:' }],
    [{ 'content-digest': `sha-256=${hex}` }],
    [{ 'content-digest': digest, 'x-checksum-sha256': '0'.repeat(64) }],
  ])('is refused when it cannot be checked: %j', (headers) => {
    expect(() => sha256Of(headers)).toThrow(/Content-Digest|X-Checksum-Sha256/);
  });
});

describe('the name to save under', () => {
  it.each([
    ['a/b/model.bin', 'attachment; filename="model.bin"'],
    ['say "hi".txt', `attachment; filename="say _hi_.txt"; filename*=UTF-8''say%20%22hi%22.txt`],
    ['grüße €.txt', `attachment; filename="gr__e _.txt"; filename*=UTF-8''gr%C3%BC%C3%9Fe%20%E2%82%AC.txt`],
    ["it's (1)*😀", `attachment; filename="it's (1)*_"; filename*=UTF-8''it%27s%20%281%29%2A%F0%9F%98%80`],
    ['50%25.csv', `attachment; filename="50_25.csv"; filename*=UTF-8''50%2525.csv`],
  ])('of %s', (path, header) => {
    expect(attachment(path)).toBe(header);
  });
});
