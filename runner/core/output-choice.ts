// Which of the things a program left are kept, and what is said of the others. Pure.

import { isFilePath } from '../../shared/model/file-path.ts';

export interface OutputLimits {
  /** Of all files of an attempt together. */
  readonly maxBytes: number;
  readonly maxFiles: number;
}

export interface LeftThing {
  /** As the program named it. */
  readonly path: string;
  readonly type: 'file' | 'directory' | 'symlink' | 'hardlink' | 'other';
  readonly sizeBytes: number;
}

export type LeftOut =
  /** One file more than may be. */
  | 'too_many'
  /** With it all files together would be too large. */
  | 'too_large'
  /** It may lead anywhere. */
  | 'symlink'
  /** A pipe, socket or device. */
  | 'special'
  /** A name that no path in the file space may have. */
  | 'name'
  /** A further name of a file that was left out. */
  | 'further_name';

export type Verdict =
  | 'keep'
  /** A hard link: a copy of the file it is another name of, if that one was kept. */
  | 'copy'
  /** Its files speak for it. */
  | 'folder'
  | LeftOut;

const MB = 2 ** 20;
/** What bytes become that are no UTF-8: the true name is lost. */
const LOST_BYTES = '\uFFFD';

/** `so` is what is kept so far. */
export function judgeOutput(
  { path, type, sizeBytes }: LeftThing,
  so: { readonly files: number; readonly bytes: number },
  limits: OutputLimits,
): Verdict {
  if (type === 'directory') return 'folder';
  if (type === 'symlink') return 'symlink';
  if (type === 'other') return 'special';
  if (!isFilePath(path) || path.includes(LOST_BYTES)) return 'name';
  if (so.files >= limits.maxFiles) return 'too_many';
  if (so.bytes + sizeBytes > limits.maxBytes) return 'too_large';
  return type === 'hardlink' ? 'copy' : 'keep';
}

/** What was left out of one look at an output folder. */
export class LeftOutTally {
  readonly #limits: OutputLimits;
  readonly #counts = new Map<LeftOut, number>();
  /** The look ended before the folder did. */
  isCutShort = false;

  constructor(limits: OutputLimits) {
    this.#limits = limits;
  }

  add(why: LeftOut): void {
    this.#counts.set(why, this.#of(why) + 1);
  }

  /** Why not all is kept that should be, in words; null when all is. */
  get overLimit(): string | null {
    const { maxBytes, maxFiles } = this.#limits;
    const [large, many] = [this.#of('too_large'), this.#of('too_many')];
    const words = [
      ...(large > 0 ? [`${counted(large, 'file')} over the limit of ${round(maxBytes / MB)} MB in all`] : []),
      ...(many > 0 ? [`${counted(many, 'file')} over the limit of ${counted(maxFiles, 'file')}`] : []),
      ...(this.isCutShort ? ['what was not looked at any more, for there was too much'] : []),
    ];
    return words.length === 0 ? null : words.join('; ');
  }

  /** All that was left out, in words for the user; null when nothing was. */
  get note(): string | null {
    const words = [
      this.overLimit,
      this.#words('symlink', 'symbolic link'),
      this.#words('special', 'pipe, socket or device', 'pipes, sockets or devices'),
      this.#words('name', 'file with a name that cannot be kept', 'files with names that cannot be kept'),
      this.#words(
        'further_name',
        'further name of a file that is not kept',
        'further names of files that are not kept',
      ),
    ].filter((part) => part !== null);
    return words.length === 0 ? null : `left out: ${words.join('; ')}`;
  }

  #of(why: LeftOut): number {
    return this.#counts.get(why) ?? 0;
  }

  #words(why: LeftOut, one: string, many?: string): string | null {
    const count = this.#of(why);
    return count === 0 ? null : counted(count, one, many);
  }
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${count} ${count === 1 ? one : many}`;
}

function round(value: number): number {
  return Math.round(value * 10) / 10;
}
