// Commands in documents: each block of them is run by a test, or says why it is not. A comment right above the block tells:
//
//   <!-- run -->                                   test/e2e/documents.test.ts types it, and each command must succeed
//   <!-- run by: test/e2e/x.test.ts, "title" -->   that test does the same
//   <!-- not run: why -->                          e.g. it needs another machine
//
// docs/EXAMPLE.md is typed as a whole, with its answers, by test/e2e/example.test.ts.

import { existsSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { readDocument, TYPED_WITH_ANSWERS, userDocuments } from '../support/documents.ts';
import { type Fenced, fencedBlocks } from '../support/markdown.ts';

const root = resolve(import.meta.dirname, '../..');

const COMMANDS = 'sh';
const COMMANDS_WITH_ANSWERS = 'console';
const PROGRAMS = ['js', 'ts', 'python', 'go'];
const OTHER_NAMES: Readonly<Record<string, string>> = {
  bash: 'sh',
  shell: 'sh',
  zsh: 'sh',
  javascript: 'js',
};
const MARKS = ['run', 'run by', 'not run'];
const BEGINS_LIKE_A_COMMAND =
  /^(?:\$ |(?:[A-Z_]+=\S* +)*(?:sudo |npm |npx |node |cloudai |curl |docker |git |kubectl |helm |systemctl |grpcurl ))/;

/** Examples of the generated reference of commands: read by the command line itself. */
const GENERATED = {
  document: 'docs/CLI.md',
  section: 'Commands',
  by: 'cli/package/reference.test.ts, "can be typed as they stand, and show the command they are of"',
};

function faultsOf(document: string, block: Fenced): string[] {
  const { language, remarks, lines, section } = block;
  if (document === GENERATED.document && section === GENERATED.section) return [];
  if (language === '')
    return ['name what is in it behind the fence: sh for commands, else text, json, yaml, …'];
  const other = OTHER_NAMES[language];
  if (other) return [`call ${language} "${other}"`];
  const isMarked = MARKS.some((mark) => remarks.has(mark));
  if (language === COMMANDS_WITH_ANSWERS && document === TYPED_WITH_ANSWERS) return [];
  if (![COMMANDS, COMMANDS_WITH_ANSWERS, ...PROGRAMS].includes(language)) {
    if (isMarked) return [`only commands and programs are run, and "${language}" is neither`];
    return BEGINS_LIKE_A_COMMAND.test(lines[0] ?? '') ? [`looks like commands: call it ${COMMANDS}`] : [];
  }
  if (!isMarked)
    return [`say above it who runs it: ${MARKS.map((mark) => `<!-- ${mark} … -->`).join(', or ')}`];
  return MARKS.flatMap((mark) => {
    const text = remarks.get(mark);
    return text === undefined ? [] : faultOfMark(mark, text, language);
  });
}

function faultOfMark(mark: string, text: string, language: string): string[] {
  if (mark === 'not run') return text.length > 10 ? [] : ['say why it is not run'];
  if (mark === 'run by') return testExists(text) ? [] : [`there is no test ${text}`];
  return language === COMMANDS ? [] : [`only blocks of ${COMMANDS} can be typed`];
}

/** `test/e2e/x.test.ts, "title of a test"` */
function testExists(named: string): boolean {
  const [, file = '', title = ''] = /^(\S+\.test\.ts), "(.+)"$/.exec(named) ?? [];
  return (
    existsSync(resolve(root, file)) &&
    file !== '' &&
    readFileSync(resolve(root, file), 'utf8').includes(`'${title}'`)
  );
}

describe('commands', () => {
  it.each(userDocuments())('of %s are run, or say why not', (document) => {
    const faults = fencedBlocks(readDocument(document)).flatMap((block) =>
      faultsOf(document, block).map((fault) => `${document}:${block.line} (${block.lines[0]}): ${fault}`),
    );
    expect(faults).toEqual([]);
  });

  it('of the generated reference are read by a test that is there', () => {
    expect(testExists(GENERATED.by)).toBe(true);
  });

  it.each([
    ['```\nnpm start\n```', 'behind the fence'],
    ['```bash\nnpm start\n```', 'call bash "sh"'],
    ['```sh\nnpm start\n```', 'who runs it'],
    ['<!-- run -->\n\n```sh\nnpm start\n```', 'who runs it'],
    ['```console\n$ npm start\n```', 'who runs it'],
    ['```js\nstart();\n```', 'who runs it'],
    ['```text\nPORT=1 npm start\n```', 'looks like commands'],
    ['<!-- not run -->\n```sh\nnpm start\n```', 'say why'],
    ['<!-- run by: test/e2e/start.test.ts, "no such title" -->\n```sh\nnpm start\n```', 'no test'],
    ['<!-- run by: test/e2e/none.test.ts, "title" -->\n```sh\nnpm start\n```', 'no test'],
    ['<!-- run -->\n```js\nstart();\n```', 'can be typed'],
    ['<!-- run -->\n```yaml\na: 1\n```', 'neither'],
  ])('are told to be wrong when they are: %s', (markdown, fault) => {
    const faults = fencedBlocks(markdown).flatMap((block) => faultsOf('docs/NEW.md', block));
    expect(faults.join('\n')).toContain(fault);
  });
});
