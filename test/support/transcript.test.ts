import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readTranscript, withAnswers } from './transcript.ts';

const markdown = (...lines: string[]) => lines.join('\n');

describe('a document with console blocks', () => {
  const text = markdown(
    '# Title',
    '```sh',
    '$ not of these',
    '```',
    '<!-- typed, not shown: one, two -->',
    '```console',
    '$ cloudai register-user alice',
    'Account alice',
    '```',
    '',
    '```console',
    "$ cat > a <<'END'",
    '> line',
    '> END',
    '$ cat a',
    'line',
    '> quoted',
    '$ cloudai',
    'Hello',
    'master> workers',
    'worker-1',
    'master> ^D',
    '```',
    '<!-- not run: it needs a machine -->',
    '```console',
    '$ npm start',
    '```',
  );

  it('gives what is typed and what is answered, in order and by line', () => {
    const { blocks, leftOut } = readTranscript(text);
    expect(blocks).toEqual([
      {
        line: 6,
        hidden: ['one', 'two'],
        again: null,
        figuresDiffer: null,
        slow: null,
        steps: [{ sign: '$ ', typed: ['cloudai register-user alice'], answer: ['Account alice'], line: 7 }],
      },
      {
        line: 11,
        hidden: [],
        again: null,
        figuresDiffer: null,
        slow: null,
        steps: [
          { sign: '$ ', typed: ["cat > a <<'END'", 'line', 'END'], answer: [], line: 12 },
          { sign: '$ ', typed: ['cat a'], answer: ['line', '> quoted'], line: 15 },
          { sign: '$ ', typed: ['cloudai'], answer: ['Hello'], line: 18 },
          { sign: 'master> ', typed: ['workers'], answer: ['worker-1'], line: 20 },
          { sign: 'master> ', typed: ['^D'], answer: [], line: 22 },
        ],
      },
    ]);
    expect(leftOut).toEqual([{ why: 'it needs a machine', line: 25 }]);
  });

  it('takes the remarks right above a block', () => {
    const remarks = ['<!-- figures differ: measured -->', '<!-- typed again: it takes a moment -->'];
    const { blocks } = readTranscript(markdown(...remarks, '```console', '$ a', '```'));
    expect(blocks).toMatchObject([{ figuresDiffer: 'measured', again: 'it takes a moment' }]);
    const apart = readTranscript(markdown(...remarks, '', '```console', '$ a', '```'));
    expect(apart.blocks).toMatchObject([{ figuresDiffer: null, slow: null, again: null }]);
  });

  it.each([
    ['line 1: this block has no end', ['```console', '$ a']],
    ['line 2: a block begins with what is typed', ['```console', 'answer', '```']],
    ['line 1: nothing is typed', ['```console', '```']],
    ['line 1: a block begins in the shell', ['```console', 'master> a', '```']],
    ['line 1: "not run" says nothing', ['<!-- not run: -->', '```console', '$ a', '```']],
    ['line 1: "not ran" is none of', ['<!-- not ran: why -->', '```console', '$ a', '```']],
    ['line 2: a block that is typed again', ['<!-- typed again: why -->', '```console', '$ a', '$ b', '```']],
  ])('refuses a block without form: %s', (message, lines) => {
    expect(() => readTranscript(markdown(...lines))).toThrow(message);
  });

  it('gets other answers in the places of its own', () => {
    const answers = new Map([
      [7, ['Account bob', 'is made']],
      [15, []],
      [22, ['bye']],
    ]);
    const other = withAnswers(text, answers);
    const seen = readTranscript(other).blocks.flatMap(({ steps }) => steps.map(({ answer }) => answer));
    expect(seen).toEqual([['Account bob', 'is made'], [], [], ['Hello'], ['worker-1'], ['bye']]);
    expect(other.replace('Account bob\nis made', 'Account alice')).toContain(text.slice(0, 100));
  });

  it('stays as it is when it gets its own answers', () => {
    const answer = fc.array(fc.stringMatching(/^[a-z ]{1,8}[a-z]$/), { maxLength: 4 });
    fc.assert(
      fc.property(fc.array(answer, { minLength: 1, maxLength: 5 }), (answers) => {
        const body = answers.flatMap((lines, index) => [`$ command ${index}`, ...lines]);
        const document = markdown('text', '```console', ...body, '```', 'text');
        const steps = readTranscript(document).blocks.flatMap((block) => block.steps);
        expect(steps.map((step) => step.answer)).toEqual(answers);
        expect(withAnswers(document, new Map(steps.map((step) => [step.line, step.answer])))).toBe(document);
      }),
    );
  });
});
