// Whatever is sent in headers, whatever images and addresses are called: readers refuse it in their own words or take it,
// and never throw anything else.

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isAppError } from '../../shared/errors.ts';
import { imageRule } from '../../shared/model/image-rules.ts';
import { tokenOfHandshake, tokenOfUpgrade } from '../live/access.ts';
import { networkOf } from '../services/network-of.ts';
import { AddressRules } from '../services/webhooks/address-rules.ts';
import { chooseAnswer } from './conditions.ts';
import { attachment } from './content-disposition.ts';
import { takesBrotli } from './encodings.ts';
import { announcedPiece, announcedUpload } from './tus.ts';
import { contentTypeOf, isOnlyNew, lengthOf, sha256Of } from './upload-headers.ts';

const RUNS = { numRuns: 300 };
/** Also the characters that grammars turn on, in heaps. */
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 200 }),
  fc.string({ unit: fc.constantFrom(...'=,;:/*"\\ -+.[]%0198azW\t'), maxLength: 200 }),
);
const header = fc.option(fc.oneof(text, fc.array(text, { maxLength: 3 })), { nil: undefined });

function headersOf(...names: string[]) {
  return fc.record(Object.fromEntries(names.map((name) => [name, header])));
}

/** Runs it; an error must be one of the codes. */
function orRefused(run: () => unknown, ...codes: Parameters<typeof isAppError>[1][]): void {
  try {
    run();
  } catch (error) {
    if (!codes.some((code) => isAppError(error, code))) throw error;
  }
}

describe('headers of a request', () => {
  it('of a resumable upload are read or refused', () => {
    const all = headersOf(
      'upload-length',
      'upload-offset',
      'upload-metadata',
      'upload-checksum',
      'upload-defer-length',
      'x-checksum-sha256',
      'content-type',
      'if-none-match',
    );
    fc.assert(
      fc.property(all, (headers) => {
        orRefused(() => announcedUpload(headers), 'invalid_request');
        orRefused(() => announcedPiece(headers), 'invalid_request');
      }),
      RUNS,
    );
  });

  it('of an upload are read or refused', () => {
    const all = headersOf('content-length', 'content-type', 'x-checksum-sha256', 'if-none-match');
    fc.assert(
      fc.property(all, text, (headers, path) => {
        for (const read of [lengthOf, sha256Of, isOnlyNew]) orRefused(() => read(headers), 'invalid_request');
        orRefused(() => contentTypeOf(headers, path), 'invalid_request');
      }),
      RUNS,
    );
  });

  it('that ask for a part never lead outside the file', () => {
    const all = headersOf('range', 'if-range', 'if-none-match');
    const ranges = fc.tuple(fc.nat(), fc.nat()).map(([from, to]) => ({ range: `bytes=${from}-${to}` }));
    fc.assert(
      fc.property(fc.oneof(all, ranges), fc.nat({ max: 5_000 }), (headers, sizeBytes) => {
        const chosen = chooseAnswer({ method: 'GET', headers }, { etag: '"a"', sizeBytes });
        if (chosen.kind !== 'part') return;
        expect(chosen.start).toBeGreaterThanOrEqual(0);
        expect(chosen.end).toBeGreaterThan(chosen.start);
        expect(chosen.end).toBeLessThanOrEqual(sizeBytes);
      }),
      RUNS,
    );
  });

  it('that name encodings are answered yes or no', () => {
    fc.assert(
      fc.property(text, (value) => typeof takesBrotli(value) === 'boolean'),
      RUNS,
    );
  });

  it('and handshakes of sockets hold a token, none, or are refused', () => {
    fc.assert(
      fc.property(
        fc.anything(),
        headersOf('authorization', 'sec-websocket-protocol'),
        text,
        (auth, some, url) => {
          const headers = Object.fromEntries(
            Object.entries(some).map(([name, value]) => [name, value?.toString()]),
          );
          orRefused(() => tokenOfHandshake(auth, headers), 'unauthenticated');
          orRefused(() => tokenOfUpgrade({ url, headers } as never), 'unauthenticated');
        },
      ),
      RUNS,
    );
  });
});

describe('names that others chose', () => {
  it('of files end no header and no quotes', () => {
    fc.assert(
      fc.property(text, (path) => {
        const value = attachment(path);
        expect(value).toMatch(
          /^attachment; filename="[ !#-[\]-~]*"(; filename\*=UTF-8''[\w.!~%&+^`|$#-]*)?$/,
        );
      }),
      RUNS,
    );
  });

  it('of images are judged as the patterns say', () => {
    const name = fc.string({ unit: fc.constantFrom(...'ab:/@.*+('), maxLength: 30 });
    fc.assert(
      fc.property(fc.array(name, { maxLength: 5 }), text, (patterns, image) => {
        const may = imageRule(patterns);
        expect(may(image)).toBeTypeOf('boolean');
        for (const pattern of patterns.filter((one) => !one.includes('*'))) expect(may(pattern)).toBe(true);
      }),
      RUNS,
    );
  });

  it('of networks and receivers are taken or refused', () => {
    const entry = fc.oneof(
      text,
      fc.ipV4(),
      fc.ipV6(),
      fc.ipV4().map((one) => `${one}/40`),
    );
    fc.assert(
      fc.property(entry, fc.webUrl(), (address, url) => {
        expect(networkOf(address)).toBeTypeOf('string');
        orRefused(() => new AddressRules([address]), 'bad_config');
        const why = new AddressRules([]).refusalOfAddress(new URL(url), address);
        expect(why === null || why.length > 0).toBe(true);
      }),
      RUNS,
    );
  });
});
