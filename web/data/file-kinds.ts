// How a file can be shown. By its name and declared type only: what its bytes say comes later. Pure.

export type FileKind = 'text' | 'json' | 'table' | 'image' | 'other' | 'unknown';

/**
 * The only types that are ever handed to an <img>: the blob gets one of these, never what the file claims. An SVG in an
 * <img> runs no script and loads nothing.
 */
const IMAGES: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  jpeg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  svg: 'image/svg+xml',
};
const TABLES = new Set(['csv', 'tsv', 'tab']);
/** Names of text whose declared type says something else or nothing. */
const TEXTS = new Set(
  'bash bat c cc cfg cjs conf cpp cs css diff env err go h hpp html ini ipynb java js jsonl jsx kt lock log lua md mjs ndjson out patch php pl properties py r rb rs rst scala sh sql swift tex toml ts tsx txt xml yaml yml'.split(
    ' ',
  ),
);
const TEXT_TYPES =
  /^(text\/|application\/(javascript|xml|yaml|toml|sql|x-sh|x-ndjson|x-httpd-php|rtf$))|\+xml$|\+yaml$/;
/** A declared type that says nothing. */
const SHAPELESS = new Set(['', 'application/octet-stream', 'binary/octet-stream']);

export interface NamedFile {
  readonly path: string;
  readonly contentType: string;
}

/** `unknown`: the bytes have to say whether it is text. */
export function fileKind({ path, contentType }: NamedFile): FileKind {
  const ending = endingOf(path);
  const type = bareType(contentType);
  if (imageType({ path, contentType }) !== null) return 'image';
  if (TABLES.has(ending) || type === 'text/csv' || type === 'text/tab-separated-values') return 'table';
  if (ending === 'json' || ending === 'geojson' || type === 'application/json' || type.endsWith('+json'))
    return 'json';
  if (TEXTS.has(ending) || TEXT_TYPES.test(type)) return 'text';
  return SHAPELESS.has(type) ? 'unknown' : 'other';
}

/** Null when it is no image that is shown. The ending goes before the declared type, which a user may have set. */
export function imageType({ path, contentType }: NamedFile): string | null {
  const ending = endingOf(path);
  if (Object.hasOwn(IMAGES, ending)) return IMAGES[ending] ?? null;
  const type = bareType(contentType);
  const isNamed = ending !== '' && (TEXTS.has(ending) || TABLES.has(ending));
  return !isNamed && Object.values(IMAGES).includes(type) ? type : null;
}

/** The part after the last point of the name, in lower case; empty for `.profile` and `Makefile`. */
export function endingOf(path: string): string {
  const name = nameOf(path);
  const point = name.lastIndexOf('.');
  return point <= 0 ? '' : name.slice(point + 1).toLowerCase();
}

export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1);
}

function bareType(contentType: string): string {
  return (contentType.split(';')[0] ?? '').trim().toLowerCase();
}

/**
 * The bytes as text, or null when they are none: a NUL among them, or more than a few that are no UTF-8. Understands
 * UTF-8 and, by its mark, UTF-16. A character that is cut at the end is left out.
 */
export function textOf(bytes: Uint8Array): string | null {
  const [first, second] = bytes;
  if (first === 0xff && second === 0xfe) return new TextDecoder('utf-16le').decode(bytes, { stream: true });
  if (first === 0xfe && second === 0xff) return new TextDecoder('utf-16be').decode(bytes, { stream: true });
  if (bytes.includes(0)) return null;
  const text = new TextDecoder().decode(bytes, { stream: true });
  let odd = 0;
  for (const character of text) if (character === '\ufffd') odd += 1;
  return odd * 100 > text.length ? null : text;
}
