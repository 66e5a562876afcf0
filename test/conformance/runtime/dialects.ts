// What the suite makes programs do, in the words of a shell and of the scripted runtime.

/** Something a program leaves in its output folder. */
export type Thing =
  | { readonly kind: 'file'; readonly path: string; readonly bytes: Buffer }
  | { readonly kind: 'zeros'; readonly path: string; readonly size: number }
  | { readonly kind: 'folder' | 'fifo'; readonly path: string }
  | { readonly kind: 'symlink' | 'hardlink'; readonly path: string; readonly target: string };

export interface Dialect {
  /** Prints on both streams, then ends with the code. */
  talk(stdout: string, stderr: string, exitCode: number): string;
  /** Prints `line 1` to `line n` on stdout. */
  lines(count: number): string;
  /** Prints the bytes and nothing else, not even a line end. */
  raw(bytes: Buffer): string;
  printEnv(name: string): string;
  /** Prints `up`, then ends itself with the code once SIGTERM comes. */
  endOnTerm(exitCode: number): string;
  /** Prints `up`, then goes on whatever SIGTERM says. */
  ignoreTerm(): string;
  /** Prints the numbers from 1 to n, some time apart. */
  count(to: number): string;
  /** Takes memory until it is stopped. */
  eatMemory(): string;
  /** Leaves all of these. */
  leave(things: readonly Thing[]): string;
  /** Prints a file it was given, with a line end behind it. */
  catInput(path: string): string;
  /** Takes some 20 MB of memory and a good part of a core, and prints `up`. */
  beBusy(): string;
}

export const shell: Dialect = {
  talk: (stdout, stderr, exitCode) => `echo '${stdout}'; echo '${stderr}' >&2; exit ${exitCode}`,
  lines: (count) => `seq -f 'line %.0f' ${count} 2>/dev/null || seq ${count} | sed 's/^/line /'`,
  raw: (bytes) => `printf '${[...bytes].map((byte) => `\\${byte.toString(8).padStart(3, '0')}`).join('')}'`,
  printEnv: (name) => `echo "$${name}"`,
  endOnTerm: (exitCode) => `trap 'exit ${exitCode}' TERM; echo up; while true; do sleep 0.05; done`,
  ignoreTerm: () => `trap '' TERM; echo up; while true; do sleep 0.05; done`,
  count: (to) => `n=0; while [ $n -lt ${to} ]; do n=$((n+1)); echo $n; sleep 0.05; done`,
  eatMemory: () => 'x=a; while true; do x=$x$x; done',
  leave: (things) => ['set -e', 'cd "$CLOUDAI_OUTPUT"', ...things.map(leaveByShell)].join('; '),
  catInput: (path) => `cat "$CLOUDAI_INPUT"/${quoted(path)}; echo`,
  beBusy: () => `x=$(head -c 20000000 /dev/zero | tr '\\0' a); echo up; while true; do :; done`,
};

function leaveByShell(thing: Thing): string {
  const path = quoted(`./${thing.path}`);
  const folder = thing.path.split('/').slice(0, -1).join('/');
  const parent = folder === '' ? ':' : `mkdir -p ${quoted(`./${folder}`)}`;
  switch (thing.kind) {
    case 'file':
      return `${parent}; ${shell.raw(thing.bytes)} > ${path}`;
    case 'zeros':
      return `${parent}; head -c ${thing.size} /dev/zero > ${path}`;
    case 'folder':
      return `mkdir -p ${path}`;
    case 'fifo':
      return `mkfifo ${path}`;
    case 'symlink':
      return `ln -s ${quoted(thing.target)} ${path}`;
    case 'hardlink':
      return `ln ${quoted(thing.target)} ${path}`;
  }
}

function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

export const scripted: Dialect = {
  talk: (stdout, stderr, exitCode) => `print ${stdout}; warn ${stderr}; exit ${exitCode}`,
  lines: (count) => `lines ${count}`,
  raw: (bytes) => `raw ${bytes.toString('base64')}`,
  printEnv: (name) => `env ${name}`,
  endOnTerm: (exitCode) => `on-term ${exitCode}; print up; forever`,
  ignoreTerm: () => 'ignore-term; print up; forever',
  count: (to) => Array.from({ length: to }, (_, n) => `print ${n + 1}; sleep 20`).join('; '),
  eatMemory: () => 'oom',
  leave: (things) => things.map(leaveByScript).join('\n'),
  catInput: (path) => `cat-input ${encodeURIComponent(path)}`,
  beBusy: () => 'usage 700 20; print up; forever',
};

function leaveByScript(thing: Thing): string {
  const path = encodeURIComponent(thing.path);
  switch (thing.kind) {
    case 'file':
      return `file-bytes ${path} ${thing.bytes.toString('base64')}`;
    case 'zeros':
      return `file-size ${path} ${thing.size}`;
    case 'folder':
    case 'fifo':
      return `${thing.kind} ${path}`;
    case 'symlink':
    case 'hardlink':
      return `${thing.kind} ${path} ${encodeURIComponent(thing.target)}`;
  }
}
