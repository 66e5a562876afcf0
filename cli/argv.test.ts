import { Command } from 'commander';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type OptionKind, splitArgv } from './argv.ts';
import { knownOptions } from './program.ts';

const known = new Map<string, OptionKind>([
  ['name', 'value'],
  ['cpu_cores', 'value'],
  ['mem', 'value'],
  ['priority', 'value'],
  ['cmd', 'value'],
  ['env', 'pairs'],
  ['wait', 'flag'],
  ['json', 'flag'],
  ['password-stdin', 'flag'],
]);
const args = (line: string[]) => splitArgv(line, known).args;

describe('what users type', () => {
  it('may have one dash or two', () => {
    const typed = [
      'task',
      'python:3.9',
      '-name',
      'my-task',
      '-cpu_cores',
      '2.0',
      '-mem=4.0',
      '-k',
      '3',
      '-wait',
    ];
    const proper = [
      'task',
      'python:3.9',
      '--name',
      'my-task',
      '--cpu_cores',
      '2.0',
      '--mem=4.0',
      '-k',
      '3',
      '--wait',
    ];
    expect(args(typed)).toEqual(proper);
    expect(args(proper)).toEqual(proper);
  });

  it('may have a dash for an underscore, and the other way round', () => {
    expect(args(['--cpu-cores', '2', '-password_stdin'])).toEqual(['--cpu_cores', '2', '--password-stdin']);
  });

  it('may have two dashes before a single letter', () => {
    expect(args(['--k', '3', '--k=4', '-k=5'])).toEqual(['-k', '3', '-k', '4', '-k', '5']);
  });

  it('is left alone after "--"', () => {
    expect(splitArgv(['task', 'a', '--', '-name', 'x', '--', '-k'], known)).toEqual({
      args: ['task', 'a'],
      words: ['-name', 'x', '--', '-k'],
    });
    expect(splitArgv(['task', 'a'], known).words).toBeNull();
    expect(splitArgv(['task', 'a', '--'], known).words).toEqual([]);
  });

  it('is left alone where it is a value, a number below zero, a short option or unknown', () => {
    expect(args(['-cmd', '-name', '-priority', '-5'])).toEqual(['--cmd', '-name', '--priority', '-5']);
    expect(args(['-5', '-f', '-fv', '-nam', 'x', '-', ''])).toEqual([
      '-5',
      '-f',
      '-fv',
      '-nam',
      'x',
      '-',
      '',
    ]);
  });

  it('has no value taken from behind "--"', () => {
    expect(splitArgv(['-name', '--', 'x'], known)).toEqual({ args: ['--name'], words: ['x'] });
  });

  it('takes several pairs for one option, but no image', () => {
    expect(args(['-env', 'A=1', 'B=x=y', 'python:3.9', 'C=3'])).toEqual([
      '--env',
      'A=1',
      '--env',
      'B=x=y',
      'python:3.9',
      'C=3',
    ]);
  });

  it('never loses, adds or changes a word after "--", and rewriting twice changes nothing', () => {
    const word = fc.oneof(
      fc.constantFrom(
        '-name',
        '--mem',
        '-5',
        '-k',
        'task',
        '-env',
        'A=1',
        '-wait',
        '-cmd=x y',
        '--json',
        '-',
      ),
      fc.string(),
    );
    fc.assert(
      fc.property(fc.array(word), fc.array(word), (before, after) => {
        const left = before.filter((one) => one !== '--');
        const first = splitArgv([...left, '--', ...after], known);
        expect(first.words).toEqual(after);
        expect(splitArgv(first.args, known)).toEqual({ args: first.args, words: null });
      }),
    );
  });
});

describe('known options', () => {
  it('are read from the commands, and one name of two kinds is refused', () => {
    const program = new Command().option('--json');
    program.command('a').option('-k, --k_value <k>').option('--env <pairs...>');
    expect([...knownOptions(program)]).toEqual([
      ['help', 'flag'],
      ['json', 'flag'],
      ['k_value', 'value'],
      ['env', 'pairs'],
    ]);
    program.command('b').option('--json <file>');
    expect(() => knownOptions(program)).toThrow('two kinds');
  });
});
