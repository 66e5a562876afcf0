// Whatever is typed and whatever an API answers: the command line takes it or says what is wrong.

import { InvalidArgumentError } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readJsonLines } from '../client/ndjson.ts';
import { labelTerm } from './labels.ts';
import {
  amount,
  amountLimit,
  codes,
  limit,
  number,
  positive,
  seconds,
  wholeNumber,
  words,
} from './options.ts';

const RUNS = { numRuns: 300 };
const text = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 60 }),
  fc.string({ unit: fc.constantFrom(...'0123456789.smhd-+e,= !|'), maxLength: 60 }),
);

describe('values of options', () => {
  it.each(
    Object.entries({ amount, amountLimit, codes, limit, number, positive, seconds, wholeNumber, words }),
  )('as %s are taken or refused', (_, read) => {
    fc.assert(
      fc.property(text, (typed) => {
        try {
          for (const value of [read(typed)].flat())
            if (typeof value === 'number') expect(value).not.toBeNaN();
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
        }
      }),
      RUNS,
    );
  });

  it('as a label are taken or refused', () => {
    fc.assert(
      fc.property(text, (typed) => {
        try {
          expect(Object.keys(labelTerm(typed)).length).toBeGreaterThan(0);
        } catch (error) {
          expect(error).toBeInstanceOf(InvalidArgumentError);
        }
      }),
      RUNS,
    );
  });
});

describe('a stream of JSON lines', () => {
  it('comes whole however it is cut', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.jsonValue()), fc.integer({ min: 1, max: 7 }), async (values, size) => {
        const bytes = Buffer.from(values.map((value) => `${JSON.stringify(value)}\n`).join(''));
        const got: unknown[] = [];
        for await (const value of readJsonLines(streamOf(bytes, size))) got.push(value);
        expect(got).toEqual(values.map((value) => JSON.parse(JSON.stringify(value))));
      }),
      { numRuns: 60 },
    );
  });

  it('that is none ends or is refused', async () => {
    await fc.assert(
      fc.asyncProperty(fc.uint8Array({ maxLength: 60 }), async (bytes) => {
        try {
          for await (const _ of readJsonLines(streamOf(Buffer.from(bytes), 5)));
        } catch (error) {
          expect(error).toBeInstanceOf(SyntaxError);
        }
      }),
      { numRuns: 60 },
    );
  });
});

function streamOf(bytes: Buffer, size: number): ReadableStream<Uint8Array> {
  const pieces = Array.from({ length: Math.ceil(bytes.length / size) }, (_, n) =>
    bytes.subarray(n * size, (n + 1) * size),
  );
  return new ReadableStream({
    pull(controller) {
      const piece = pieces.shift();
      if (piece) controller.enqueue(new Uint8Array(piece));
      else controller.close();
    },
  });
}
