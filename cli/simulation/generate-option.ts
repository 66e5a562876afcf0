// How `--generate tasks=100000,users=50,hours=24,load=0.9,gpu=0.1` is read. Pure.

import { InvalidArgumentError } from 'commander';
import { GENERATE_DEFAULTS, type GenerateOptions } from '../../scheduler/core/simulation/generate.ts';
import { MOST_TASKS } from './traces/trace.ts';

interface Range {
  readonly least: number;
  readonly most: number;
  readonly whole: boolean;
}

const RANGES: Readonly<Record<keyof GenerateOptions, Range>> = {
  tasks: { least: 1, most: MOST_TASKS, whole: true },
  users: { least: 1, most: 100_000, whole: true },
  hours: { least: 0.1, most: 8_784, whole: false },
  load: { least: 0.01, most: 10, whole: false },
  gpu: { least: 0, most: 1, whole: false },
  burst: { least: 1, most: 1_000, whole: false },
  kinds: { least: 1, most: 100, whole: false },
};
const NAMES = Object.keys(RANGES).join(', ');
const FORM = 'Write it like tasks=10000,users=20,hours=24,load=0.8,gpu=0.1.';

export function generateOptions(text: string): GenerateOptions {
  const given: Partial<Record<keyof GenerateOptions, number>> = {};
  for (const piece of text.split(',')) {
    const [name = '', value = ''] = piece.split('=', 2).map((word) => word.trim());
    if (!isName(name)) throw new InvalidArgumentError(`"${name}" is none of ${NAMES}. ${FORM}`);
    if (given[name] !== undefined) throw new InvalidArgumentError(`${name} is given twice. ${FORM}`);
    const { least, most, whole } = RANGES[name];
    const number = Number(value);
    if (value === '' || !(number >= least && number <= most) || (whole && !Number.isInteger(number))) {
      const kind = whole ? 'a whole number' : 'a number';
      throw new InvalidArgumentError(`${name} must be ${kind} between ${least} and ${most}.`);
    }
    given[name] = number;
  }
  return { ...GENERATE_DEFAULTS, ...given };
}

function isName(name: string): name is keyof GenerateOptions {
  return Object.hasOwn(RANGES, name);
}
