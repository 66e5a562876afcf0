// The folder that stands for one "container" of the process runtime. All state is in files, so that the next life of
// the runner finds it: what to run, that it was started, what it printed, how it ended.
//
//   spec.json   what to run                      written by create
//   started     pid, start time, boot of the run written by the wrapper before the program, once and never again
//   stdout, stderr                               written by the program
//   killed      SIGKILL was sent                 written by kill
//   exit        exit code                        written by the wrapper behind the program
//   work/       working directory of the program
//   output/     what it leaves
//   input/      what it was given, if anything

import { mkdir, open, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../errors.ts';
import type { ContainerSpec, ContainerStatus } from '../../ports/container-runtime.ts';
import { isAlive, isOfEarlierBoot, type ProcessMark, readMark } from './process-mark.ts';

/** What a program that was ended by SIGKILL is reported with, as a shell does: 128 + 9. */
const SIGKILL_EXIT = 137;
const ID_PATTERN = /^[A-Za-z0-9][A-Za-z0-9._-]{0,200}$/;

export type ContainerFile =
  | 'spec.json'
  | 'started'
  | 'stdout'
  | 'stderr'
  | 'killed'
  | 'exit'
  | 'work'
  | 'output'
  | 'input';

export class ContainerFolder {
  readonly id: string;
  readonly path: string;

  constructor(root: string, id: string) {
    this.id = id;
    this.path = join(root, id);
  }

  file(name: ContainerFile): string {
    return join(this.path, name);
  }

  /** Null when the container is not there. */
  async spec(): Promise<ContainerSpec | null> {
    const text = await readIfThere(this.file('spec.json'));
    return text === null ? null : (JSON.parse(text) as ContainerSpec);
  }

  /** Which process runs it, or null before the start. */
  async mark(): Promise<ProcessMark | null> {
    const text = await readIfThere(this.file('started'));
    return text === null ? null : readMark(text);
  }

  async #exitCode(): Promise<number | null> {
    const text = await readIfThere(this.file('exit'));
    return text?.endsWith('\n') ? Number.parseInt(text, 10) : null;
  }

  async status(): Promise<ContainerStatus | null> {
    const spec = await this.spec();
    if (!spec) return null;
    const common = {
      id: this.id,
      taskId: spec.taskId,
      attempt: spec.attempt,
      workerId: spec.workerId,
      // Nobody watches the memory of a plain process.
      oomKilled: false,
      gpuIds: spec.gpuIds,
    };
    const mark = await this.mark();
    if (!mark) return { ...common, state: 'created', startedAt: null, finishedAt: null, exitCode: null };
    const startedAt = await timeOf(this.file('started'));
    let exitCode = await this.#exitCode();
    if (exitCode === null && (await isAlive(mark))) {
      return { ...common, state: 'running', startedAt, finishedAt: null, exitCode: null };
    }
    // It may have ended between the two looks.
    exitCode ??= await this.#exitCode();
    const killedAt = await timeOf(this.file('killed'));
    if (exitCode === null && killedAt !== null) exitCode = SIGKILL_EXIT;
    const finishedAt = (await timeOf(this.file('exit'))) ?? killedAt;
    const cutBy = exitCode === null && (await isOfEarlierBoot(mark)) ? ('machine' as const) : null;
    return { ...common, state: 'exited', startedAt, finishedAt, exitCode, cutBy };
  }

  remove(): Promise<void> {
    return rm(this.path, { recursive: true, force: true });
  }
}

/** Names the folder of an attempt, and the input it is given. */
export function folderName(of: { readonly taskId: string; readonly attempt: number }): string {
  return checkId(`${of.taskId}-${of.attempt}`);
}

/** Throws `conflict` when there is one for this attempt, and what `takeInput` throws. */
export async function createFolder(
  root: string,
  spec: ContainerSpec,
  takeInput: (to: string) => Promise<void>,
): Promise<ContainerFolder> {
  const folder = new ContainerFolder(root, folderName(spec));
  await mkdir(root, { recursive: true, mode: 0o700 });
  try {
    await mkdir(folder.path, { mode: 0o700 });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    throw new AppError('conflict', `the container ${folder.id} is there already`, { cause: error });
  }
  await mkdir(folder.file('work'));
  await mkdir(folder.file('output'));
  if (spec.hasInput) {
    await takeInput(folder.file('input')).catch(async (error) => {
      await folder.remove();
      throw error;
    });
  }
  for (const name of ['stdout', 'stderr'] as const) await (await open(folder.file(name), 'a', 0o600)).close();
  // Last, for a folder without it does not count. The environment may hold secrets.
  await writeFile(folder.file('spec.json'), JSON.stringify(spec), { mode: 0o600 });
  return folder;
}

export async function listFolders(root: string): Promise<ContainerFolder[]> {
  const entries = await readdir(root, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return [];
    throw error;
  });
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => new ContainerFolder(root, name));
}

export function openFolder(root: string, id: string): ContainerFolder {
  return new ContainerFolder(root, checkId(id));
}

/** The id becomes a folder's name. */
function checkId(id: string): string {
  if (ID_PATTERN.test(id)) return id;
  throw new AppError('not_found', `"${id}" is not the id of a container`);
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

async function timeOf(path: string): Promise<number | null> {
  return stat(path).then(
    ({ mtimeMs }) => Math.round(mtimeMs),
    () => null,
  );
}
