// What a reader has selected of an output of which only a part is in the page.

import { indexOfId, type LogLine } from './log-lines.ts';
import { plainText } from './plain-text.ts';

interface Ends {
  readonly startContainer: Node;
  readonly startOffset: number;
  readonly endContainer: Node;
  readonly endOffset: number;
}

/** Browsers differ in how they let a page see a selection within an element. */
function endsIn(root: ShadowRoot): Ends | null {
  const own = (root as ShadowRoot & { getSelection?(): Selection | null }).getSelection?.();
  if (own && own.rangeCount > 0 && !own.isCollapsed) return own.getRangeAt(0);
  const selection = document.getSelection();
  if (!selection || selection.isCollapsed || !('getComposedRanges' in selection)) return null;
  return selection.getComposedRanges({ shadowRoots: [root] })[0] ?? null;
}

function rowOf(root: ShadowRoot, node: Node): HTMLElement | null {
  const element = node instanceof Element ? node : node.parentElement;
  return root.contains(node) ? (element?.closest<HTMLElement>('[data-id]') ?? null) : null;
}

/** The rows that the selection begins and ends in, which are the line ids to keep in the page. */
export function selectedIds(root: ShadowRoot): number[] {
  const ends = endsIn(root);
  if (!ends) return [];
  return [ends.startContainer, ends.endContainer].flatMap((node) => {
    const row = rowOf(root, node);
    return row ? [Number(row.dataset.id)] : [];
  });
}

/** The text between the ends of the selection, lines that are not in the page included. Null: leave it to the browser. */
export function selectedText(root: ShadowRoot, lines: readonly LogLine[]): string | null {
  const ends = endsIn(root);
  if (!ends) return null;
  const first = rowOf(root, ends.startContainer);
  const last = rowOf(root, ends.endContainer);
  if (!first || !last || first === last) return null;
  const from = indexOfId(lines, Number(first.dataset.id));
  const to = indexOfId(lines, Number(last.dataset.id));
  const before = offsetIn(first, ends.startContainer, ends.startOffset);
  const upTo = offsetIn(last, ends.endContainer, ends.endOffset);
  return lines
    .slice(from, to + 1)
    .map(({ text }, at, all) => {
      const plain = plainText(text);
      return plain.slice(at === 0 ? before : 0, at === all.length - 1 ? upTo : undefined);
    })
    .join('\n');
}

/** Characters of the row's text before a place in it. */
function offsetIn(row: HTMLElement, node: Node, offset: number): number {
  const text = row.querySelector('.text');
  if (!text) return 0;
  const range = document.createRange();
  range.selectNodeContents(text);
  const place = document.createRange();
  place.setStart(node, offset);
  if (place.compareBoundaryPoints(Range.START_TO_START, range) <= 0) return 0;
  if (place.compareBoundaryPoints(Range.END_TO_END, range) < 0) range.setEnd(node, offset);
  return range.toString().length;
}
