// That examples can be typed as they stand is held by package/reference.test.ts.

import { describe, expect, it } from 'vitest';
import { examplesOf } from './examples.ts';
import { commandPages } from './package/command-pages.ts';
import { describeProgram, everyCommand } from './program.ts';

describe('examples', () => {
  it('are there for every command, help and the way out among them', () => {
    const program = describeProgram('1.2.3', { leave: () => undefined });
    const without = commandPages(program).filter(({ examples }) => examples.length === 0);
    expect(without.map(({ name }) => name)).toEqual([]);
    const shown: string[] = [];
    everyCommand(program, (command) => shown.push(...examplesOf(command).map(({ line }) => line)));
    expect(shown).toEqual(expect.arrayContaining(['exit', 'help task']));
  });
});
