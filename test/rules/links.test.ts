// Where documents lead: every link to a file or a heading of the project is good, and every document is found from the
// README.

import { existsSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesBelow, readDocument, userDocuments } from '../support/documents.ts';
import { anchorsOf, linksOf } from '../support/markdown.ts';

const root = resolve(import.meta.dirname, '../..');
const decisions = filesBelow('docs/adr').filter((path) => path.endsWith('.md'));
const documents = [...userDocuments(), 'CHANGELOG.md', ...decisions];

const isElsewhere = (target: string) => /^[a-z][a-z+.-]*:/i.test(target);

/** The file a link leads to, by its path from the root, and the heading in it. */
function ends(document: string, target: string): { path: string; anchor: string | null } {
  const [file = '', anchor = null] = decodeURI(target).split('#');
  return { path: file === '' ? document : join(dirname(document), file), anchor };
}

function faultOf(document: string, target: string): string | null {
  if (isElsewhere(target)) return URL.canParse(target) ? null : 'is no address';
  const { path, anchor } = ends(document, target);
  if (path.startsWith('..') || !existsSync(resolve(root, path)))
    return `leads to ${path}, which is not there`;
  if (anchor === null) return null;
  if (!path.endsWith('.md')) return 'has a heading of a file that is no document';
  return anchorsOf(readDocument(path)).has(anchor) ? null : `leads to a heading that ${path} does not have`;
}

describe('links', () => {
  it.each(documents)('of %s lead somewhere', (document) => {
    const faults = linksOf(readDocument(document)).flatMap(({ target, line }) => {
      const fault = faultOf(document, target);
      return fault === null ? [] : [`${document}:${line}: "${target}" ${fault}`];
    });
    expect(faults).toEqual([]);
  });

  it('lead from the README to every file of docs', () => {
    const reached = new Set(['README.md']);
    // A set that grows while it is walked is walked to its end.
    for (const document of reached) {
      if (!document.endsWith('.md')) continue;
      for (const { target } of linksOf(readDocument(document))) {
        if (!isElsewhere(target) && faultOf(document, target) === null)
          reached.add(ends(document, target).path);
      }
    }
    const isReached = (file: string) =>
      [...reached].some((path) => file === path || file.startsWith(`${path}/`));
    expect(filesBelow('docs').filter((file) => !isReached(file))).toEqual([]);
  });

  it('are told to be wrong when they are', () => {
    expect(faultOf('docs/CLI.md', 'NOWHERE.md')).toContain('docs/NOWHERE.md');
    expect(faultOf('docs/CLI.md', '../../secret.md')).not.toBeNull();
    expect(faultOf('docs/CLI.md', 'DOCUMENTATION.md#nothing')).toContain('heading');
    expect(faultOf('docs/CLI.md', 'DOCUMENTATION.md#settings')).toBeNull();
  });
});
