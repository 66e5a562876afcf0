// A document as data: its fenced blocks with the remarks above them, where its links lead, and which anchors it has.
// Pure. Reads no files and runs nothing.

export interface Fenced {
  /** What stands behind the fence, e.g. `sh`; empty when nothing does. */
  readonly language: string;
  readonly lines: readonly string[];
  /** Comments of the form `<!-- name: text -->` or `<!-- name -->` right above the block. */
  readonly remarks: ReadonlyMap<string, string>;
  /** Of the fence, from 1. */
  readonly line: number;
  /** The heading of the second level that it stands under; empty above the first. */
  readonly section: string;
}

export interface Link {
  readonly target: string;
  readonly line: number;
}

const FENCE = /^```(\S*)/;
const REMARK = /^<!-- ([^:]+?)(?:: (.*?))? -->$/;
const HEADING = /^(#{1,6}) (.+?)\s*$/;

/** @throws {Error} that names the line of a block without an end. */
export function fencedBlocks(markdown: string): Fenced[] {
  const lines = markdown.split('\n');
  const blocks: Fenced[] = [];
  let section = '';
  for (let at = 0; at < lines.length; at += 1) {
    const [, marks, title] = HEADING.exec(lines[at] ?? '') ?? [];
    if (marks === '##') section = title ?? '';
    const [fence, language = ''] = FENCE.exec(lines[at] ?? '') ?? [];
    if (fence === undefined) continue;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`line ${at + 1}: this block has no end`);
    blocks.push({
      language,
      lines: lines.slice(at + 1, end),
      remarks: remarksAbove(lines, at),
      line: at + 1,
      section,
    });
    at = end;
  }
  return blocks;
}

function remarksAbove(lines: readonly string[], fence: number): Map<string, string> {
  const remarks = new Map<string, string>();
  for (let at = fence - 1; at >= 0; at -= 1) {
    const [, name, text = ''] = REMARK.exec(lines[at] ?? '') ?? [];
    if (name === undefined) break;
    remarks.set(name, text);
  }
  return remarks;
}

/** Of text, links and pictures. What is code is none. */
export function linksOf(markdown: string): Link[] {
  return prose(markdown).flatMap((text, index) =>
    [...text.matchAll(/\]\(([^)\s]+)(?: "[^"]*")?\)|(?:href|src)="([^"]+)"/g)].map(([, target, tag]) => ({
      target: target ?? tag ?? '',
      line: index + 1,
    })),
  );
}

/** As GitHub makes them of headings: the second of a name ends with `-1`. */
export function anchorsOf(markdown: string): Set<string> {
  const seen = new Map<string, number>();
  const anchors = new Set<string>();
  for (const text of prose(markdown, { code: true })) {
    for (const [, id] of text.matchAll(/<a (?:id|name)="([^"]+)"/g)) anchors.add(id ?? '');
    const [, , title] = HEADING.exec(text) ?? [];
    if (title === undefined) continue;
    const slug = slugOf(title);
    const before = seen.get(slug) ?? 0;
    seen.set(slug, before + 1);
    anchors.add(before === 0 ? slug : `${slug}-${before}`);
  }
  return anchors;
}

function slugOf(title: string): string {
  return title
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-');
}

/** The lines with blocks made empty, and code within lines too unless it is asked for. */
function prose(markdown: string, { code = false } = {}): string[] {
  let isBlock = false;
  return markdown.split('\n').map((text) => {
    if (FENCE.test(text)) {
      isBlock = !isBlock;
      return '';
    }
    if (isBlock) return '';
    return code ? text : text.replaceAll(/(`+)(?!`).*?(?<!`)\1(?!`)/g, '');
  });
}
