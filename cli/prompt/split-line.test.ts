import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { quoteWord, splitLine } from './split-line.ts';

const words = (line: string) => splitLine(line).words;

describe('a line', () => {
  it('is split at blanks, outside of quotes', () => {
    expect(words('  task  python:3.9\t-name my-task ')).toEqual(['task', 'python:3.9', '-name', 'my-task']);
    expect(words(`task a -cmd "echo 'a  b'" -name 'x "y"'`)).toEqual([
      'task',
      'a',
      '-cmd',
      "echo 'a  b'",
      '-name',
      'x "y"',
    ]);
    expect(words(`-env A="b c"d 'e'f`)).toEqual(['-env', 'A=b cd', 'ef']);
    expect(words(`'' ""`)).toEqual(['', '']);
    expect(words('')).toEqual([]);
  });

  it('has backslashes that mean what they mean in a shell', () => {
    expect(words('a\\ b \\"c \\\\d')).toEqual(['a b', '"c', '\\d']);
    expect(words('"a\\"b \\n \\$ \\\\"')).toEqual(['a"b \\n $ \\']);
    expect(words("'a\\'")).toEqual(['a\\']);
  });

  it('is not expanded', () => {
    expect(words('$HOME * ~ {a,b} `x` $(y) "$z" a;b|c>d')).toEqual([
      '$HOME',
      '*',
      '~',
      '{a,b}',
      '`x`',
      '$(y)',
      '$z',
      'a;b|c>d',
    ]);
  });

  it('ends at a comment', () => {
    expect(splitLine('workers # all of them "')).toMatchObject({
      words: ['workers'],
      open: null,
      comment: true,
    });
    expect(words('#workers')).toEqual([]);
    expect(words('a#b "# c" \\#d')).toEqual(['a#b', '# c', '#d']);
  });

  it('tells what was left open', () => {
    expect(splitLine('task "a b').open).toBe('"');
    expect(splitLine("task 'a b").open).toBe("'");
    expect(splitLine('task a\\').open).toBe('\\');
    expect(splitLine('task "a\\').open).toBe('\\');
    expect(splitLine('task "a" \'b\' c\\ ').open).toBeNull();
  });

  it('tells the word it ends in and where that begins', () => {
    expect(splitLine('cancel task-0').last).toEqual({ text: 'task-0', start: 7 });
    expect(splitLine('upload "my fi').last).toEqual({ text: 'my fi', start: 7 });
    expect(splitLine('cancel ').last).toEqual({ text: '', start: 7 });
    expect(splitLine('').last).toEqual({ text: '', start: 0 });
  });
});

describe('a word', () => {
  it('is plain where it can be', () => {
    expect(quoteWord('python:3.9')).toBe('python:3.9');
    expect(quoteWord('A=b')).toBe('A=b');
    expect(quoteWord('#a')).toBe("'#a'");
    expect(quoteWord("it's")).toBe(`'it'\\''s'`);
    expect(quoteWord('')).toBe("''");
  });

  it('comes back as it was, whatever is in it', () => {
    const any = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string({ unit: fc.constantFrom('"', "'", '\\', ' ', '#', '$', 'a', '\n', '-') }),
    );
    fc.assert(
      fc.property(fc.array(any), (some) => {
        expect(splitLine(some.map(quoteWord).join(' '))).toMatchObject({ words: some, open: null });
      }),
    );
  });
});
