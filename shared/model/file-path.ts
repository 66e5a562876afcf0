// Which names files may have: in a user's space, in what a task leaves, in what it is given. One rule for all of them,
// so that what was kept can always be asked for. Pure.

/** Characters of a whole path. */
export const FILE_PATH_MAX = 1_024;

/** What is wrong with the path, to complete "it must be …"; null when it may be used. */
export function filePathFault(path: string): string | null {
  if (path.length > FILE_PATH_MAX) return `at most ${FILE_PATH_MAX} characters long`;
  if (path.includes('\0')) return 'text without NUL characters';
  const isRelative = !path.startsWith('/');
  const isPlain = path.split('/').every((part) => part !== '' && part !== '.' && part !== '..');
  return isRelative && isPlain ? null : 'a relative path without ".", ".." or empty parts';
}
