import { describe, expect, it } from 'vitest';
import { RUNNER_USAGE, readRunnerArguments } from './arguments.ts';

describe('the arguments of a runner', () => {
  it('are none for one whose settings say which cluster it belongs to', () => {
    expect(readRunnerArguments([])).toEqual({
      wait: false,
      forget: false,
      listen: null,
      removeNetworks: false,
    });
  });

  it('make it wait', () => {
    expect(readRunnerArguments(['--wait'])).toEqual({
      wait: true,
      forget: false,
      listen: null,
      removeNetworks: false,
    });
    expect(readRunnerArguments(['--wait', '--listen', '[::]:1', '--forget'])).toEqual({
      wait: true,
      forget: true,
      listen: '[::]:1',
      removeNetworks: false,
    });
    expect(readRunnerArguments(['--remove-networks'])).toMatchObject({ wait: false, removeNetworks: true });
  });

  it('can be asked for', () => {
    expect(readRunnerArguments(['--help'])).toBeNull();
    expect(readRunnerArguments(['-h', '--wait'])).toBeNull();
  });

  it.each([
    [['--nope'], /--nope/],
    [['wait'], /wait/],
    [['--wait', '--listen'], /listen/],
    [['--listen', 'a:1'], /--listen goes with --wait/],
    [['--wait', '--remove-networks'], /goes alone/],
    [['--forget'], /--forget goes with --wait/],
  ])('that are wrong are named, with what there is: %j', (args, message) => {
    expect(() => readRunnerArguments(args)).toThrow(message);
    expect(() => readRunnerArguments(args)).toThrow(RUNNER_USAGE);
  });
});
