// What the suite makes programs do, in the words of a shell and of the scripted runtime.

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
};

export const scripted: Dialect = {
  talk: (stdout, stderr, exitCode) => `print ${stdout}; warn ${stderr}; exit ${exitCode}`,
  lines: (count) => `lines ${count}`,
  raw: (bytes) => `raw ${bytes.toString('base64')}`,
  printEnv: (name) => `env ${name}`,
  endOnTerm: (exitCode) => `on-term ${exitCode}; print up; forever`,
  ignoreTerm: () => 'ignore-term; print up; forever',
  count: (to) => Array.from({ length: to }, (_, n) => `print ${n + 1}; sleep 20`).join('; '),
  eatMemory: () => 'oom',
};
