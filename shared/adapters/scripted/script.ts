// The language of scripted containers. Pure: text in, steps out.
//
// A command is a list of words for one step, or a text of steps separated by `;` or new lines:
//   print <text>      a line on stdout (`echo` means the same)
//   warn <text>       a line on stderr
//   raw <base64>      bytes on stdout, nothing added
//   lines <n>         n numbered lines on stdout: `line 1`, `line 2`, …
//   env <name>        the value of a variable as a line on stdout
//   sleep <ms>        milliseconds
//   forever           runs until it is killed
//   ignore-term       from here on SIGTERM does nothing
//   on-term <code> [<ms> [<text>]]   from here on SIGTERM ends it with this code (without: 143): so much later, with
//                     this as its last line on stdout
//   exit <code>       ends; the end of the script is `exit 0` (`true` and `false` are exit 0 and 1)
//   oom               ends as the kernel would end it for memory: 137
//   start-error <why> the start fails with these words
//   file <path> <text>             a file with this text and no line end below /output
//   file-bytes <path> <base64>     a file with these bytes
//   file-size <path> <n>           a file of n bytes, all of them zero
//   folder <path>, fifo <path>, symlink <path> <target>, hardlink <path> <target>
//   cat-input <path>               the text of a provided file as a line on stdout
//   usage <cpuMillis> <memoryMb>   from here on it is measured to use so much of a core and of memory
//   In a path, `%20` and the like stand for what cannot be written here.
//   anything else     as a text: `<word>: not found` on stderr and exit 127; as a list: the start fails
// No command at all means `exit 0`, or the steps behind `scripted:` in the image's name with `.` for spaces and
// `_` for `;`, e.g. `scripted:print.hello_exit.3`.
//
// Images are there unless their name says otherwise:
//   …missing…, …no-such…  no such image
//   …broken…          the pull fails
//   …slow-<ms>…       the pull takes so long (once; `never` then finds it, before it does not)

import type { OutputEntry } from '../../ports/container-runtime.ts';

export type ScriptStep =
  | { readonly kind: 'write'; readonly stream: 'stdout' | 'stderr'; readonly bytes: Buffer }
  | { readonly kind: 'lines'; readonly count: number }
  | { readonly kind: 'env'; readonly name: string }
  | { readonly kind: 'sleep'; readonly ms: number }
  | { readonly kind: 'on-term'; readonly end: TermEnd | null }
  | { readonly kind: 'exit'; readonly exitCode: number }
  | { readonly kind: 'leave'; readonly left: Left }
  | { readonly kind: 'cat-input'; readonly path: string }
  | { readonly kind: 'usage'; readonly cpuMillis: number; readonly memoryMb: number }
  | { readonly kind: 'oom' };

/** What SIGTERM does to a container. */
export interface TermEnd {
  readonly exitCode: number;
  readonly afterMs: number;
  readonly lastWords: string | null;
}

/** Something below /output. */
export interface Left {
  readonly path: string;
  readonly type: OutputEntry['type'];
  readonly target: string | null;
  /** Null: zeros. */
  readonly bytes: Buffer | null;
  readonly sizeBytes: number;
}

export interface Script {
  readonly steps: readonly ScriptStep[];
  /** Why the start fails, or null. */
  readonly startError: string | null;
}

/** The longest a timer can be set for; a script that outlives it does not matter to any test. */
const FOREVER_MS = 2 ** 31 - 1;

export function readScript(command: string | readonly string[] | null, image: string): Script {
  if (command === null) return readText(textOfImage(image));
  if (typeof command === 'string') return readText(command);
  const [word = '', ...rest] = command;
  const steps = readStep(word, rest.join(' '));
  if (steps === null) return { steps: [], startError: `cannot run "${word}": there is no such command` };
  return readText(`${word} ${rest.join(' ')}`.trim(), '\n');
}

function textOfImage(image: string): string {
  const tag = /scripted:(.+)$/.exec(image)?.[1] ?? '';
  return tag.replaceAll('.', ' ').replaceAll('_', ';');
}

function readText(text: string, separator: string | RegExp = /[;\n]/): Script {
  const steps: ScriptStep[] = [];
  let startError: string | null = null;
  for (const part of text.split(separator)) {
    const [, word = '', rest = ''] = /^\s*(\S+)\s?([\s\S]*?)\s*$/.exec(part) ?? [];
    if (word === '') continue;
    if (word === 'start-error') startError ??= rest === '' ? 'the script asks for a failed start' : rest;
    const read = readStep(word, rest);
    if (read) steps.push(...read);
    else steps.push(write('stderr', `${word}: not found\n`), { kind: 'exit', exitCode: 127 });
  }
  return { steps, startError };
}

function readStep(word: string, rest: string): ScriptStep[] | null {
  switch (word) {
    case 'print':
    case 'echo':
      return [write('stdout', `${rest}\n`)];
    case 'warn':
      return [write('stderr', `${rest}\n`)];
    case 'raw':
      return [{ kind: 'write', stream: 'stdout', bytes: Buffer.from(rest, 'base64') }];
    case 'lines':
      return [{ kind: 'lines', count: wholeNumber(rest) }];
    case 'env':
      return [{ kind: 'env', name: rest }];
    case 'sleep':
      return [{ kind: 'sleep', ms: Math.min(Number(rest) || 0, FOREVER_MS) }];
    case 'forever':
      return [{ kind: 'sleep', ms: FOREVER_MS }];
    case 'ignore-term':
      return [{ kind: 'on-term', end: null }];
    case 'on-term':
      return [{ kind: 'on-term', end: readTermEnd(rest) }];
    case 'exit':
      return [{ kind: 'exit', exitCode: wholeNumber(rest) & 0xff }];
    case 'true':
      return [{ kind: 'exit', exitCode: 0 }];
    case 'false':
      return [{ kind: 'exit', exitCode: 1 }];
    case 'oom':
      return [{ kind: 'oom' }];
    case 'start-error':
      return [];
    case 'file':
      return [leaveFile(rest, (text) => Buffer.from(text))];
    case 'file-bytes':
      return [leaveFile(rest, (text) => Buffer.from(text, 'base64'))];
    case 'file-size': {
      const [path, size] = splitPath(rest);
      return [leave({ path, type: 'file', sizeBytes: wholeNumber(size) })];
    }
    case 'folder':
      return [leave({ path: splitPath(rest)[0], type: 'directory' })];
    case 'fifo':
      return [leave({ path: splitPath(rest)[0], type: 'other' })];
    case 'symlink':
    case 'hardlink': {
      const [path, target] = splitPath(rest);
      return [leave({ path, type: word, target: word === 'hardlink' ? splitPath(target)[0] : null })];
    }
    case 'cat-input':
      return [{ kind: 'cat-input', path: splitPath(rest)[0] }];
    case 'usage': {
      const [cpuMillis, memoryMb] = rest.split(/\s+/).map(Number);
      return [{ kind: 'usage', cpuMillis: cpuMillis || 0, memoryMb: memoryMb || 0 }];
    }
    default:
      return null;
  }
}

function readTermEnd(rest: string): TermEnd {
  const [, code = '', ms = '', text = ''] = /^(\S*)\s*(\S*)\s?([\s\S]*)$/.exec(rest) ?? [];
  return { exitCode: wholeNumber(code), afterMs: wholeNumber(ms), lastWords: text === '' ? null : text };
}

function wholeNumber(text: string): number {
  const number = Number.parseInt(text, 10);
  return Number.isNaN(number) ? 0 : number;
}

function write(stream: 'stdout' | 'stderr', text: string): ScriptStep {
  return { kind: 'write', stream, bytes: Buffer.from(text) };
}

function leave(left: Pick<Left, 'path' | 'type'> & Partial<Left>): ScriptStep {
  return { kind: 'leave', left: { target: null, bytes: null, sizeBytes: 0, ...left } };
}

function leaveFile(rest: string, read: (text: string) => Buffer): ScriptStep {
  const [path, text] = splitPath(rest);
  const bytes = read(text);
  return leave({ path, type: 'file', bytes, sizeBytes: bytes.length });
}

/** The first word as a path, and what follows it. */
function splitPath(rest: string): [string, string] {
  const [, path = '', text = ''] = /^(\S*)\s?([\s\S]*)$/.exec(rest) ?? [];
  return [decodePath(path), text];
}

function decodePath(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    return path;
  }
}

export type ImageBehaviour =
  | { readonly kind: 'there' }
  | { readonly kind: 'missing' }
  | { readonly kind: 'broken' }
  | { readonly kind: 'slow'; readonly ms: number };

export function readImage(image: string): ImageBehaviour {
  if (/missing|no-such/.test(image)) return { kind: 'missing' };
  if (image.includes('broken')) return { kind: 'broken' };
  const slow = /slow-(\d+)/.exec(image);
  return slow ? { kind: 'slow', ms: Number(slow[1]) } : { kind: 'there' };
}
