// Rewrites what users type into what the option parser expects, before it sees it. Pure.
// Long options work with one dash or two (`-name x`, `--name x`), with `_` or `-` inside; the words of a
// task's command after `--` are never touched.

/** `flag` stands alone, `value` takes one word, `pairs` takes NAME=VALUE words until something else comes. */
export type OptionKind = 'flag' | 'value' | 'pairs';

export interface SplitArgv {
  /** For the option parser; no `--` in it. */
  readonly args: string[];
  /** What came after `--`, or null without one. */
  readonly words: string[] | null;
}

const LONG = /^--?([A-Za-z][\w-]+)(=[\s\S]*)?$/;
const ONE_LETTER = /^--?([A-Za-z])(?:=([\s\S]*))?$/;
const PAIR = /^[A-Za-z_]\w*=/;

/** `known` holds the long names without dashes, as the option parser knows them. */
export function splitArgv(argv: readonly string[], known: ReadonlyMap<string, OptionKind>): SplitArgv {
  const args: string[] = [];
  for (let at = 0; at < argv.length; at++) {
    const arg = argv[at] ?? '';
    if (arg === '--') return { args, words: argv.slice(at + 1) };
    const option = readOption(arg, known);
    if (!option) {
      const [, letter, value] = ONE_LETTER.exec(arg) ?? [];
      if (letter) args.push(`-${letter}`, ...(value === undefined ? [] : [value]));
      else args.push(arg);
      continue;
    }
    args.push(`--${option.name}${option.value ?? ''}`);
    if (option.kind === 'flag') continue;
    if (option.value === undefined && at + 1 < argv.length && argv[at + 1] !== '--') {
      // The next word is the value, whatever it looks like.
      args.push(argv[++at] ?? '');
    }
    while (option.kind === 'pairs' && PAIR.test(argv[at + 1] ?? '')) {
      args.push(`--${option.name}`, argv[++at] ?? '');
    }
  }
  return { args, words: null };
}

function readOption(
  arg: string,
  known: ReadonlyMap<string, OptionKind>,
): { name: string; kind: OptionKind; value: string | undefined } | null {
  const [, typed, value] = LONG.exec(arg) ?? [];
  if (typed === undefined) return null;
  for (const name of [typed, typed.replaceAll('-', '_'), typed.replaceAll('_', '-')]) {
    const kind = known.get(name);
    if (kind) return { name, kind, value };
  }
  return null;
}
