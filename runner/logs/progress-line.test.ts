import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mayBecomeProgress, readProgressLine } from './progress-line.ts';

describe('the line that tells progress', () => {
  it.each([
    ['::progress 0', 0, ''],
    ['::progress 42', 42, ''],
    ['::progress 100', 100, ''],
    ['::progress 100.0', 100, ''],
    ['::progress 33.333 epoch 1 of 3', 33.333, 'epoch 1 of 3'],
    ['::progress 7 ', 7, ''],
    ['::progress 7  two  spaces ', 7, 'two  spaces'],
    ['::progress 7 50% of it', 7, '50% of it'],
    ['::progress 5 \u001b[32mgreen\u001b[0m\ttab', 5, 'green tab'],
  ])('%j', (line, percent, message) => {
    expect(readProgressLine(line)).toEqual({ percent, message });
  });

  it.each([
    '::progress',
    '::progress ',
    '::progress abc',
    '::progress -1',
    '::progress 101',
    '::progress 100.01',
    '::progress 1e2',
    '::progress .5',
    '::progress 5.',
    '::progress 5%',
    '::progress  5',
    '::progress\t5',
    '::progress 5\tmessage',
    ' ::progress 5',
    '::Progress 5',
    ':progress 5',
    '::progress 0x10',
    'now ::progress 5',
    '',
  ])('%j is ordinary output', (line) => {
    expect(readProgressLine(line)).toBeNull();
  });

  it('gives back any percent with its message', () => {
    fc.assert(
      fc.property(fc.nat({ max: 100_000 }), fc.stringMatching(/^[a-z ]*$/), (thousandths, message) => {
        const percent = thousandths / 1_000;
        expect(readProgressLine(`::progress ${percent} ${message}`)).toEqual({
          percent,
          message: message.trim(),
        });
      }),
    );
  });

  it('is seen coming', () => {
    for (const text of ['::', '::progress', '::progress 4', '::progress 4 up']) {
      expect(mayBecomeProgress(text), text).toBe(true);
    }
    for (const text of ['progress', '::p ', 'x::progress 4'])
      expect(mayBecomeProgress(text), text).toBe(false);
  });
});
