// The one rule of what a kept file may be called, for uploads and outputs, in every room. Pure.
// A path that passes can be made below any folder of a usual file system without leaving it.

/** Characters of a whole path. */
export const FILE_PATH_MAX = 1_024;
/** Of one part, as UTF-8: what Linux file systems take. */
const NAME_MAX_BYTES = 255;

/**
 * What is wrong with the path, to complete "it must be …"; null when it may be used. Beyond what leads out of a
 * folder it refuses what no address, archive or terminal carries safely: control characters, `\` (a separator to
 * browsers and on Windows) and halves of characters.
 */
export function filePathFault(path: string): string | null {
  if (path.length > FILE_PATH_MAX) return `at most ${FILE_PATH_MAX} characters long`;
  if (/\p{Cc}/u.test(path)) return 'text without control characters';
  if (path.includes('\\')) return 'text without "\\": folders are separated by "/"';
  // In this mode only a half without its other half is matched.
  if (/\p{Cs}/u.test(path)) return 'well-formed text';
  const parts = path.split('/');
  // A path that begins with "/" has an empty first part.
  if (parts.some((part) => part === '' || part === '.' || part === '..')) {
    return 'a relative path without ".", ".." or empty parts';
  }
  if (parts.some((part) => utf8Bytes(part) > NAME_MAX_BYTES)) {
    return `made of names of at most ${NAME_MAX_BYTES} bytes each`;
  }
  return null;
}

export function isFilePath(path: string): boolean {
  return filePathFault(path) === null;
}

/**
 * The first of `paths` that would have to be a file and a folder at once, beside one that makes it a folder; null
 * when all of them can lie in one folder together.
 */
export function pathClash(
  paths: readonly string[],
): { readonly file: string; readonly below: string } | null {
  const files = new Set(paths);
  for (const below of paths) {
    for (let at = below.indexOf('/'); at >= 0; at = below.indexOf('/', at + 1)) {
      const file = below.slice(0, at);
      if (files.has(file)) return { file, below };
    }
  }
  return null;
}

function utf8Bytes(text: string): number {
  let bytes = 0;
  for (const char of text) {
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  }
  return bytes;
}
