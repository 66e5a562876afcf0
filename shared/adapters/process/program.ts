// What to run and whether it can be run, looked up as the system would, so that a wrong command fails at the start
// and in words.

import { access, constants, stat } from 'node:fs/promises';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { AppError } from '../../errors.ts';
import type { ContainerSpec } from '../../ports/container-runtime.ts';

const DEFAULT_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export function commandWords(command: ContainerSpec['command']): string[] {
  if (command === null) {
    throw new AppError(
      'container_start_failed',
      'a worker with RUNTIME=process knows no images, so the task must name a command',
    );
  }
  if (typeof command === 'string') return ['/bin/sh', '-c', command];
  if (command.length === 0 || command[0] === '') {
    throw new AppError('container_start_failed', 'the command is an empty list; it needs at least a program');
  }
  return [...command];
}

/** The program's environment: the task's own and what a shell needs, nothing else of the runner's. */
export function programEnv(
  spec: ContainerSpec,
  folders: { readonly work: string; readonly output: string; readonly input: string },
): Record<string, string> {
  return {
    PATH: process.env.PATH ?? DEFAULT_PATH,
    HOME: folders.work,
    ...(process.env.LANG ? { LANG: process.env.LANG } : {}),
    ...spec.env,
    CLOUDAI_OUTPUT: folders.output,
    CLOUDAI_INPUT: folders.input,
    ...(spec.gpuIds.length > 0 ? { NVIDIA_VISIBLE_DEVICES: spec.gpuIds.join(',') } : {}),
  };
}

/** Throws `container_start_failed` when there is no such program or it may not be run. */
export async function checkProgram(
  word: string,
  env: Readonly<Record<string, string>>,
  workDir: string,
): Promise<void> {
  const places = word.includes('/')
    ? [isAbsolute(word) ? word : resolve(workDir, word)]
    : (env.PATH ?? DEFAULT_PATH)
        .split(delimiter)
        .map((folder) => join(folder === '' ? workDir : folder, word));
  let fault = word.includes('/') ? 'there is no such file' : 'there is no such command';
  for (const place of places) {
    const found = await stat(place).catch(() => null);
    if (!found) continue;
    if (found.isDirectory()) {
      fault = 'it is a directory';
      continue;
    }
    const mayRun = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (mayRun) return;
    fault = 'permission denied; it is not an executable file';
  }
  throw new AppError('container_start_failed', `cannot run "${word}": ${fault}`);
}
