// Which of a task's files are meant by the words after `--path`. Pure.

/**
 * One that names a file, a folder with all below it (`logs`, `logs/`), or a pattern: `*` and `?` stand for what is no
 * `/`, `**` for anything. A pattern without a `/` fits names in any folder.
 */
export function pathChoice(words: readonly string[]): (path: string) => boolean {
  const tests = words.map(testOf);
  return (path) => tests.some((test) => test(path));
}

function testOf(word: string): (path: string) => boolean {
  const wanted = word.replace(/^\.\//, '').replace(/\/+$/, '');
  const exact = (path: string) => path === wanted || path.startsWith(`${wanted}/`);
  if (!/[*?]/.test(wanted)) return exact;
  const pattern = wanted
    .split(/(\*\*|\*|\?)/)
    .map((piece) => PIECES[piece] ?? piece.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&'))
    .join('');
  const fits = new RegExp(`^${wanted.includes('/') ? '' : '(?:.*/)?'}${pattern}$`, 's');
  // A name may hold such signs itself.
  return (path) => exact(path) || fits.test(path);
}

const PIECES: Readonly<Record<string, string>> = { '**': '.*', '*': '[^/]*', '?': '[^/]' };
