// `submit`: a file of tasks, checked as a whole, sent in chunks, and waited for if asked. Says after every break what
// the cluster has and how to go on.

import { randomUUID } from 'node:crypto';
import { ApiError } from '../../client/client.ts';
import { amounts } from '../../client/words.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { CliError, complaintOf, EXIT, type ExitCode } from '../exit.ts';
import type { Session } from '../session.ts';
import { StatusLine } from '../status-line.ts';
import { plain } from '../table.ts';
import { Awaited } from './awaited.ts';
import { JsonStream } from './json-stream.ts';
import { exitCodeOf, summaryText, waitForMany } from './many-wait.ts';
import { combinationText } from './matrix.ts';
import { SendError, sendAll } from './send.ts';
import { readSource } from './source.ts';
import { DEFAULT_MAX, type SubmitFileOptions } from './submit-options.ts';
import { locate, MAX_FAULTS, type PlannedTask, planTasks, type TaskFile } from './tasks-file.ts';
import type { Fault } from './tree.ts';

/** Tasks that are listed one by one for a person; of more there is a summary. */
const SHOWN = 50;
/** The longest key the API takes is 255; a chunk and a task of it add theirs. */
const KEY = /^[\x21-\x7e]{1,200}$/;

export async function submitFile(session: Session, options: SubmitFileOptions): Promise<ExitCode> {
  const { io } = session;
  const key = options.idempotency_key ?? randomUUID();
  if (!KEY.test(key)) {
    const advice = 'It has 1 to 200 printable characters without spaces.';
    throw new CliError(EXIT.usage, 'that is no idempotency key', advice);
  }
  const source = await readSource(io, options.file);
  const plan = planTasks(source.text, options.max ?? DEFAULT_MAX);
  if (!plan.file) throw faultsError(source.name, plan.faults);
  if (options.dry_run) return dryRun(session, source.name, plan.file);
  return new Submission(session, options, { name: source.name, key, file: plan.file }).run();
}

interface Given {
  readonly name: string;
  readonly key: string;
  readonly file: TaskFile;
}

interface Row {
  readonly id: string;
  readonly name: string;
  readonly matrix: string;
}

class Submission {
  readonly #session: Session;
  readonly #options: SubmitFileOptions;
  readonly #given: Given;
  readonly #json: JsonStream | null;
  readonly #line: StatusLine;
  readonly #ids: string[] = [];
  /** The first few, for a person. */
  readonly #rows: Row[] = [];
  readonly #tags = new Set<string>();

  constructor(session: Session, options: SubmitFileOptions, given: Given) {
    this.#session = session;
    this.#options = options;
    this.#given = given;
    this.#json = session.json ? new JsonStream((text) => session.io.out(text), 'tasks') : null;
    this.#line = new StatusLine(session.io, !session.json && !session.quiet);
  }

  async run(): Promise<ExitCode> {
    const session = this.#session;
    try {
      await this.#send();
    } catch (error) {
      await this.#line.clear();
      // Where nothing was accepted there is nothing to tell of.
      if (this.#ids.length > 0) await this.#json?.end();
      throw error instanceof SendError ? await this.#broken(error) : error;
    }
    await this.#line.clear();
    if (!session.json && !session.quiet) await session.io.out(this.#text());
    if (!this.#options.wait) {
      await this.#json?.end();
      return EXIT.ok;
    }
    return this.#wait();
  }

  async #send(): Promise<void> {
    const { key, file } = this.#given;
    const { client, io } = this.#session;
    await sendAll(client, file.tasks(), {
      key,
      signal: io.signal,
      onAccepted: (tasks, sent) => this.#accept(tasks, sent),
      onRetry: ({ message }) => void this.#session.remark(`${plain(message)}; trying again`),
    });
  }

  async #accept(tasks: readonly TaskBody[], sent: readonly PlannedTask[]): Promise<void> {
    const session = this.#session;
    for (const [index, { task_id, name, tag }] of tasks.entries()) {
      this.#ids.push(task_id);
      if (this.#tags.size < 2) this.#tags.add(tag);
      const combination = sent[index]?.combination;
      if (this.#rows.length >= SHOWN) continue;
      this.#rows.push({ id: task_id, name, matrix: combination ? combinationText(combination) : '' });
    }
    if (this.#json) await this.#json.add(tasks);
    else if (session.quiet) await session.io.out(tasks.map(({ task_id }) => `${task_id}\n`).join(''));
    await this.#line.draw(`${this.#ids.length} of ${this.#given.file.count} submitted`);
  }

  async #wait(): Promise<ExitCode> {
    const session = this.#session;
    try {
      const awaited = new Awaited(this.#ids);
      const summary = await waitForMany(session, awaited, this.#options, this.#comeBack());
      await this.#json?.end({ wait: summary });
      if (!session.json && !session.quiet) await session.io.out(summaryText(session, summary));
      return exitCodeOf(summary);
    } catch (error) {
      await this.#json?.end();
      throw error;
    }
  }

  #text(): string {
    const session = this.#session;
    const count = this.#ids.length;
    if (count <= SHOWN) {
      const some = (of: (row: Row) => string) => this.#rows.some((row) => of(row) !== '');
      return session.table<Row>(this.#rows, [
        { title: 'TASK', cell: ({ id }) => id },
        ...(some(({ name }) => name) ? [{ title: 'NAME', cell: ({ name }: Row) => name, min: 8 }] : []),
        ...(some(({ matrix }) => matrix)
          ? [{ title: 'MATRIX', cell: ({ matrix }: Row) => matrix, min: 8, dispensable: 1 }]
          : []),
      ]);
    }
    const tag = this.#tag();
    const lines = [
      `${count} tasks were submitted, from ${this.#ids[0]} to ${this.#ids.at(-1)}.`,
      tag ? `List them: cloudai list-tasks --tag ${tag} --all` : 'List them: cloudai list-tasks --all',
      ...(this.#options.wait ? [] : [`Wait for them: ${this.#comeBack()}`]),
    ];
    return `${lines.join('\n')}\n`;
  }

  /** The one tag that all of them have, if it can be typed as it is. */
  #tag(): string | null {
    const [tag = '', ...more] = this.#tags;
    return more.length === 0 && /^[\w.:/@+-]+$/.test(tag) ? tag : null;
  }

  /** The same key again submits nothing twice. */
  #again(): string {
    const file = this.#options.file === '-' ? '-' : quoted(this.#options.file);
    const max = this.#options.max === undefined ? '' : ` --max ${this.#options.max}`;
    return `cloudai submit -f ${file}${max} --idempotency-key ${quoted(this.#given.key)}`;
  }

  #comeBack(): string {
    const tag = this.#tag();
    if (tag) return `cloudai wait --tag ${tag}`;
    return this.#ids.length <= 3 ? `cloudai wait ${this.#ids.join(' ')}` : `${this.#again()} --wait`;
  }

  /** Says what the cluster has and how to go on. */
  async #broken({ chunk, cause }: SendError): Promise<unknown> {
    const { file, name } = this.#given;
    const had = this.#ids.length;
    const goOn = `Go on with: ${this.#again()}`;
    const accepted = had === 0 ? 'no task was accepted' : `${had} of ${file.count} tasks were accepted`;
    if (this.#session.io.signal.aborted) {
      await this.#session.remark(`Stopped: ${accepted}. ${goOn}`);
      return cause;
    }
    const { exitCode, message, details, advice } = complaintOf(cause);
    const fault = (what: string, next: string, places = details) =>
      new CliError(exitCode, `${what}; ${accepted}`, next.trim(), places, cause);
    if (!(cause instanceof ApiError)) {
      // The answer to the last chunk may be what was lost.
      return fault(message, `That is for sure: the answer about more may be lost. ${advice}\n${goOn}`);
    }
    if (cause.code === 'idempotency_mismatch') {
      return fault(message, 'The key was first used with another file: use that one again, or another key.');
    }
    if (cause.status !== 400) return fault(message, `${advice}\n${goOn}`);
    const places = details.map((detail) => placed(name, chunk, detail));
    const next =
      had === 0
        ? 'Correct it and submit it again.'
        : `Correct it. While the tasks before stay as they are, nothing is submitted twice. ${goOn}`;
    return fault(`the API refused tasks of ${name}`, next, places);
  }
}

/** A fault that the API found in a chunk, e.g. of the field `tasks.3.docker_image`, in its place in the file. */
function placed(
  name: string,
  chunk: readonly PlannedTask[],
  { field, message }: { readonly field: string; readonly message: string },
): { field: string; message: string } {
  const [, index = '', path = ''] = /^tasks\.(\d+)\.?(.*)$/.exec(field) ?? [];
  const task = chunk[Number(index)];
  if (index === '' || !task) return { field, message };
  const { at } = locate(task.template, path === '' ? [] : path.split('.'));
  const where = task.combination ? ` (with ${combinationText(task.combination)})` : '';
  const said = message.replaceAll(`tasks.${index}.`, '');
  return { field, message: faultText(name, { at, place: task.template.place, message: `${said}${where}` }) };
}

function faultText(name: string, { at, place, message }: Fault): string {
  const where = at ? `${name}:${at.line}:${at.column}` : name;
  return `${where}: ${place === '' ? '' : `${place}: `}${message}`;
}

export function faultsError(name: string, faults: readonly Fault[]): CliError {
  const details = faults.map((fault) => ({ field: fault.place, message: faultText(name, fault) }));
  const least = faults.length >= MAX_FAULTS ? 'at least ' : '';
  const count = faults.length === 1 ? 'a fault' : `${least}${faults.length} faults`;
  return new CliError(
    EXIT.usage,
    `${name} has ${count}, so nothing was submitted`,
    'The reference, "Many tasks at once", shows the format.',
    details,
  );
}

async function dryRun(session: Session, name: string, file: TaskFile): Promise<ExitCode> {
  if (session.json) {
    const json = new JsonStream((text) => session.io.out(text), 'tasks');
    for (const { body } of file.tasks()) await json.add([body]);
    await json.end();
    return EXIT.ok;
  }
  const rows: PlannedTask[] = [];
  for (const task of file.tasks()) if (rows.push(task) === SHOWN) break;
  // There are no ids yet.
  if (!session.quiet) await session.io.out(dryRunTable(session, rows));
  const more = file.count - rows.length;
  await session.remark(
    `${more > 0 ? `and ${more} more; --json prints all. ` : ''}${name}: ${file.count === 1 ? '1 task' : `${file.count} tasks`}, none submitted.`,
  );
  return EXIT.ok;
}

function dryRunTable(session: Session, rows: readonly PlannedTask[]): string {
  const some = (of: (task: PlannedTask) => unknown) => rows.some((task) => of(task));
  const matrix = ({ combination }: PlannedTask) => (combination ? combinationText(combination) : '');
  const needs = ({ body }: PlannedTask) =>
    amounts({
      cpu: body.cpu_required ?? 1,
      memory: body.memory_required ?? 512,
      gpu: body.gpu_required ?? 0,
      storage: body.storage_required ?? 0,
    });
  return session.table<PlannedTask>(rows, [
    ...(some(({ body }) => body.name)
      ? [{ title: 'NAME', cell: ({ body }: PlannedTask) => body.name ?? '', min: 8 }]
      : []),
    { title: 'IMAGE', cell: ({ body }) => body.docker_image, min: 8 },
    { title: 'NEEDS', cell: needs, dispensable: 2 },
    ...(some(matrix) ? [{ title: 'MATRIX', cell: matrix, min: 8 }] : []),
    { title: 'COMMAND', cell: ({ body }) => commandText(body.command), min: 10, dispensable: 1 },
  ]);
}

function commandText(command: string | readonly string[] | null | undefined): string {
  if (typeof command === 'string') return command;
  return command ? command.map(quoted).join(' ') : '';
}

function quoted(word: string): string {
  return /^[\w.,:/@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
