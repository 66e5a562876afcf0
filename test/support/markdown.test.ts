import { describe, expect, it } from 'vitest';
import { anchorsOf, fencedBlocks, linksOf } from './markdown.ts';

const markdown = (...lines: string[]) => lines.join('\n');

describe('blocks of a document', () => {
  it('come with language, section and the remarks right above them', () => {
    const [first, second, ...rest] = fencedBlocks(
      markdown(
        '# Title',
        '## Start',
        '<!-- not run: of another paragraph -->',
        '',
        '<!-- run -->',
        '<!-- typed, not shown: a, b -->',
        '```sh',
        'npm start',
        '## no heading',
        '```',
        '```',
        'plain',
        '```',
      ),
    );
    expect(rest).toEqual([]);
    expect(first).toMatchObject({
      language: 'sh',
      line: 7,
      section: 'Start',
      lines: ['npm start', '## no heading'],
    });
    expect([...(first?.remarks ?? [])]).toEqual([
      ['typed, not shown', 'a, b'],
      ['run', ''],
    ]);
    expect(second).toMatchObject({ language: '', section: 'Start', lines: ['plain'], remarks: new Map() });
  });

  it('must end', () => {
    expect(() => fencedBlocks(markdown('text', '```sh', 'npm start'))).toThrow('line 2');
  });
});

describe('links of a document', () => {
  it('are those of its text and pictures, not of its code', () => {
    const text = markdown(
      '[a](A.md) ![b](images/b.png "title") `[c](C.md)` ``[`](D.md)``',
      '```',
      '[e](E.md)',
      '```',
      '<img src="f.png"> [`g`](G.md#part)',
    );
    expect(linksOf(text)).toEqual([
      { target: 'A.md', line: 1 },
      { target: 'images/b.png', line: 1 },
      { target: 'f.png', line: 5 },
      { target: 'G.md#part', line: 5 },
    ]);
  });
});

describe('anchors of a document', () => {
  it('are made of its headings as GitHub does', () => {
    const text = markdown(
      '# What `k_value` means: 3 × "expected"?',
      '## Retries & limits',
      '### [Tork](https://tork.run), Nomad',
      '## Retries & limits',
      '```sh',
      '# a comment',
      '```',
      '<a id="own"></a>',
    );
    expect([...anchorsOf(text)]).toEqual([
      'what-k_value-means-3--expected',
      'retries--limits',
      'tork-nomad',
      'retries--limits-1',
      'own',
    ]);
  });
});
