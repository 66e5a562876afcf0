import { describe, expect, it } from 'vitest';
import { plainText } from './plain-text.ts';

describe('output', () => {
  it('is shown without terminal control', () => {
    expect(plainText('\u001b[1;32mok\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u001b\\ done')).toBe(
      'ok link done',
    );
    expect(plainText('10%\r50%\r100%')).toBe('100%');
    expect(plainText('done\r')).toBe('done');
    expect(plainText('')).toBe('');
  });
});
