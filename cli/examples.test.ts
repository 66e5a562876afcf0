import type { Command } from 'commander';
import { describe, expect, it } from 'vitest';
import { splitArgv } from './argv.ts';
import { examplesOf } from './examples.ts';
import { describeProgram, everyCommand, knownOptions } from './program.ts';
import { splitLine } from './prompt/split-line.ts';

const make = () => describeProgram('1.2.3', { leave: () => undefined });

/** All that a person may run, e.g. `webhooks create`. */
function commands(): { name: string; command: Command }[] {
  const found: { name: string; command: Command }[] = [];
  everyCommand(make(), (command) => {
    const names: string[] = [];
    for (let one: Command | null = command; one?.parent; one = one.parent) names.unshift(one.name());
    if (command.commands.length === 0) found.push({ name: names.join(' '), command });
  });
  return found.filter(({ name }) => name !== 'complete');
}

const given = commands().flatMap(({ name, command }) =>
  examplesOf(command).map(({ line, what }) => ({ name, line, what })),
);

/** Their examples come with what is made anew there. */
const AWAITED = [
  'task',
  'dispatch',
  'retry',
  'logs',
  'wait',
  'files',
  'task-files',
  'download',
  'upload',
].concat(['delete-file', 'status', 'workers', 'cordon', 'uncordon', 'drain', 'remove-worker']);

describe('examples', () => {
  it('are there for every command', () => {
    const without = commands().filter(({ command }) => examplesOf(command).length === 0);
    expect(without.map(({ name }) => name).filter((name) => !AWAITED.includes(name))).toEqual([]);
    expect(given.length).toBeGreaterThan(20);
  });

  it.each(given)('$line', async ({ name, line, what }) => {
    expect(what).not.toBe('');
    const { words, open } = splitLine(line);
    expect(open).toBeNull();
    // Of the command whose help it stands in, by its own name.
    expect(`${words.join(' ')} `).toContain(`${name} `);
    expect(words.slice(0, name.split(' ').length).join(' ')).toBe(name);
    const program = make();
    everyCommand(program, (command) => command.exitOverride().configureOutput({ writeOut: () => undefined }));
    await program.parseAsync(splitArgv(words, knownOptions(program)).args, { from: 'user' });
  });
});
