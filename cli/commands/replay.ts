// `replay`: decides again what the scheduler decided, from what it saw, and says whether the outcome is the same.

import type { Command } from 'commander';
import { duration, trim } from '../../client/words.ts';
import type { TaskMoment } from '../../scheduler/core/task-moments.ts';
import { withExamples } from '../examples.ts';
import { CliError, EXIT, type ExitCode } from '../exit.ts';
import { positive } from '../options.ts';
import type { Run } from '../program.ts';
import type { SourceOptions } from '../replay/source.ts';
import type { Tally } from '../replay/tally.ts';
import { FULL_ID, findTaskId, type Session } from '../session.ts';
import { plain } from '../table.ts';

interface ReplayOptions extends SourceOptions {
  readonly last?: number;
  readonly show?: string;
}

/** Passes of which the outcome is held for `--last`. */
const MOST_LAST = 1_000;

export function addReplayCommand(program: Command, run: Run): void {
  const command = program
    .command('replay')
    .description('decide again what the scheduler decided, and say whether the outcome is the same')
    .option('--last <n>', `only the newest so many passes, at most ${MOST_LAST}`, positive)
    .option('--file <file>', 'of a file that was saved, instead of what the cluster keeps')
    .option('--save <file>', 'keep in a file what was read')
    .option('--show <task>', 'tell of one task: why it waited, where it went, where else it fitted')
    .addHelpText(
      'after',
      '\nFor admins. Only passes that placed or evicted something are kept, the newest of them.\nExit code 0 when all are decided alike, 1 when one is not or none can be compared.',
    )
    .action(run(replay));
  withExamples(command, [
    { line: 'replay', what: 'all that the cluster keeps' },
    { line: 'replay --last 100 --save decisions.ndjson', what: 'the newest; all are saved' },
    { line: 'replay --file decisions.ndjson', what: 'what was saved, without a cluster' },
    { line: 'replay --show 3e4f5a6b', what: 'what passes meant for one task' },
  ]);
}

async function replay(session: Session, options: ReplayOptions): Promise<ExitCode> {
  const { io } = session;
  if ((options.last ?? 0) > MOST_LAST) {
    throw new CliError(EXIT.usage, `--last may be ${MOST_LAST} at most`, 'Leave it out to replay all.');
  }
  const taskId = options.show === undefined ? undefined : await taskIdOf(session, options.show, options.file);
  const [{ Tally }, { entriesFrom }] = await Promise.all([
    import('../replay/tally.ts'),
    import('../replay/source.ts'),
  ]);
  const tally = new Tally({ last: options.last, taskId });
  const began = io.now();
  for await (const entry of entriesFrom(session, options)) {
    io.signal.throwIfAborted();
    tally.take(entry);
  }
  tally.end();
  const tookMs = io.now() - began;
  const { storyText } = await import('../replay/story-view.ts');
  await session.show({
    json: jsonOf(tally, tookMs, taskId),
    ids: tally.difference ? [`${tally.difference.term}.${tally.difference.pass}`] : [],
    text: () =>
      `${taskId === undefined ? '' : `${storyText(taskId, tally.moments)}\n`}${verdictText(tally, tookMs)}`,
  });
  const isComparable = tally.passes === 0 || tally.passes > tally.otherRules;
  const isReadable = tally.passes > 0 || tally.entries === 0;
  return tally.different === 0 && isComparable && isReadable ? EXIT.ok : EXIT.failed;
}

/** Without a cluster there is nobody to ask for the rest of an id. */
async function taskIdOf(session: Session, given: string, file: string | undefined): Promise<string> {
  if (file === undefined) return findTaskId(session.client, given);
  const id = given.toLowerCase();
  if (FULL_ID.test(id)) return id;
  throw new CliError(EXIT.usage, `"${given}" is not a whole task id`, 'A file needs the whole one.');
}

function verdictText(tally: Tally, tookMs: number): string {
  const { passes, placements, preemptions, firstAt, lastAt, terms, otherRules, difference } = tally;
  const lines: string[] = [];
  if (firstAt === null || lastAt === null) lines.push('No decisions are kept.');
  else {
    const evictions = preemptions === 0 ? '' : ` and ${count(preemptions, 'eviction')}`;
    const from = new Date(firstAt).toISOString();
    lines.push(
      `${count(passes, 'pass', 'es')} with ${count(placements, 'placement')}${evictions} of ${count(terms.size, 'term')}, from ${from} on, in ${duration(lastAt - firstAt)}.`,
    );
    const compared = passes - otherRules;
    const pace = tookMs > 0 ? ` (${trim((passes * 1_000) / tookMs)} passes/s)` : '';
    if (otherRules > 0) {
      lines.push(
        `${count(otherRules, 'pass', 'es')} decided by other rules of planning than this program has: not compared.`,
      );
    }
    if (difference) {
      lines.push(
        `${tally.different} of ${compared} decided otherwise. The first: pass ${difference.pass} of term ${difference.term} (${new Date(difference.at).toISOString()}):`,
        `  ${plain(difference.what)}`,
      );
    } else if (compared > 0) lines.push(`All ${compared} decided again: identical${pace}.`);
  }
  lines.push(...tally.gaps.map(gapText));
  const more = tally.gapCount - tally.gaps.length;
  if (more > 0) lines.push(`Left out: ${more} more times.`);
  return `${lines.join('\n')}\n`;
}

function gapText({ passes, why }: Tally['gaps'][number]): string {
  return `Left out: ${passes === null ? '' : `${count(passes, 'pass', 'es')}, for `}${plain(why)}`;
}

function count(n: number, one: string, ending = 's'): string {
  return `${n} ${one}${n === 1 ? '' : ending}`;
}

function jsonOf(tally: Tally, tookMs: number, taskId: string | undefined) {
  const { firstAt, lastAt, difference } = tally;
  return {
    passes: tally.passes,
    placements: tally.placements,
    preemptions: tally.preemptions,
    terms: [...tally.terms],
    from: firstAt === null ? null : new Date(firstAt).toISOString(),
    to: lastAt === null ? null : new Date(lastAt).toISOString(),
    different: tally.different,
    other_rules: tally.otherRules,
    first_difference: difference && { ...difference, at: new Date(difference.at).toISOString() },
    gaps: tally.gaps.map(({ why, passes }) => ({ why, passes })),
    gap_count: tally.gapCount,
    took_ms: tookMs,
    ...(taskId === undefined ? {} : { task_id: taskId, moments: tally.moments.map(momentBody) }),
  };
}

function momentBody(moment: TaskMoment) {
  const { kind, term, pass } = moment;
  const head = { kind, term, pass, at: new Date(moment.at).toISOString() };
  if (moment.kind === 'waited') return { ...head, reason: moment.reason };
  if (moment.kind === 'told_to_leave') return { ...head, worker: moment.workerId, for_task: moment.forTask };
  const fitted = moment.fitted.map(({ workerId, isKept }) => ({
    worker: workerId,
    kept_for_another: isKept,
  }));
  return { ...head, worker: moment.workerId, gpus: moment.gpuIds, fitted };
}
