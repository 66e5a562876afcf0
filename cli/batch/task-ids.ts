// Ids of tasks that a command was given: named, or on standard input as `--quiet` prints them, one a line.

import { CliError, EXIT } from '../exit.ts';
import { FULL_ID, findTaskId, type Session } from '../session.ts';

/** A quarter of a million ids. */
const MAX_BYTES = 8 * 1_048_576;

/** Full ids of the tasks that are named, or those on standard input. @throws {CliError} for what is no id */
export async function idsGiven(session: Session, given: readonly string[]): Promise<string[]> {
  if (given.includes('-')) return idsFromInput(session, given);
  const ids: string[] = [];
  for (const one of given) ids.push(await findTaskId(session.client, one));
  return ids;
}

/**
 * Each id once. `given` is what the command was given beside `-`, which must be nothing.
 * @throws {CliError} naming the line that is no whole id
 */
async function idsFromInput({ io }: Session, given: readonly string[]): Promise<string[]> {
  if (given.length > 1) throw new CliError(EXIT.usage, '- stands alone', 'Put all ids on standard input.');
  const text = await io.readInput({ maxBytes: MAX_BYTES });
  if (text.length > MAX_BYTES) {
    const advice = 'Give them in parts, or name the tasks by --tag.';
    throw new CliError(EXIT.usage, `there are more than ${MAX_BYTES / 1_048_576} MB of ids`, advice);
  }
  const ids = new Set<string>();
  for (const [index, line] of text.split('\n').entries()) {
    const id = line.trim().toLowerCase();
    if (id === '') continue;
    if (!FULL_ID.test(id)) {
      const shown = line.trim().slice(0, 60);
      const advice = 'Give whole ids, one a line, as --quiet prints them.';
      throw new CliError(EXIT.usage, `line ${index + 1} of standard input is no task id: ${shown}`, advice);
    }
    ids.add(id);
  }
  if (ids.size > 0) return [...ids];
  throw new CliError(EXIT.usage, 'there is no task id on standard input', 'Give one a line.');
}
