// Plain child processes behind the port of the container runtime, for machines without Docker. No image, no
// isolation, no limits: only for commands that are trusted like the runner itself. A program survives the runner.

import { spawn } from 'node:child_process';
import { mkdir, open as openFile, writeFile } from 'node:fs/promises';
import { cpus, totalmem } from 'node:os';
import { join, resolve } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../errors.ts';
import { strayContainer } from '../../model/stray.ts';
import { untilAborted } from '../../platform/deadline.ts';
import { freeDiskMb } from '../../platform/disk-space.ts';
import type { Log } from '../../platform/log.ts';
import type { ContainerRuntime, ContainerSpec } from '../../ports/container-runtime.ts';
import {
  type ContainerFolder,
  createFolder,
  folderName,
  listFolders,
  openFolder,
} from './container-folder.ts';
import { engineCall } from './errors.ts';
import { InputFolders } from './input-folder.ts';
import { followOutput } from './output-files.ts';
import { outputEntries } from './output-folder.ts';
import { isAlive } from './process-mark.ts';
import { groupUsage } from './process-usage.ts';
import { checkProgram, commandWords, programEnv } from './program.ts';

export interface ProcessRuntimeOptions {
  /** Folder for working directories, output and state. Kept between lives of the runner. */
  readonly dataDir: string;
  readonly log: Log;
}

const LOOK_EVERY_MS = 50;
const START_LIMIT_MS = 10_000;
const REMOVE_LIMIT_MS = 20_000;

/**
 * Runs the program and keeps how it ended, whoever is still there to hear of it. `started` is written once and never
 * over an old one, so a container runs at most once. The trap lets the wrapper outlive a SIGTERM to its group; what
 * the program left behind in its group goes when it ends.
 */
const WRAPPER = `
dir=$1; shift
trap : TERM INT HUP
read -r stat < /proc/$$/stat
read -r boot < /proc/sys/kernel/random/boot_id
set -C
printf '%s\\n%s\\n' "$stat" "$boot" > "$dir/started" || exit 0
set +C
"$@"
code=$?
echo "$code" > "$dir/exit"
kill -KILL 0
`;

export async function openProcessRuntime(options: ProcessRuntimeOptions): Promise<ContainerRuntime> {
  const { log } = options;
  if (process.platform !== 'linux') {
    throw new AppError('bad_config', 'RUNTIME=process needs Linux; use RUNTIME=docker here');
  }
  const dataDir = resolve(options.dataDir);
  const root = join(dataDir, 'processes');
  await engineCall('make the data folder', () => mkdir(root, { recursive: true, mode: 0o700 }));
  const inputs = new InputFolders(join(dataDir, 'inputs'));
  log.warn(
    'RUNTIME=process runs tasks as plain processes of this user: no image, no isolation, no limit on memory, cpu or disk. Do not let anyone submit tasks whom you would not give this shell.',
  );

  const running = async (folder: ContainerFolder) => {
    const mark = await folder.mark();
    return mark && (await isAlive(mark)) ? mark : null;
  };

  const signalGroup = async (folder: ContainerFolder, signal: 'SIGTERM' | 'SIGKILL') => {
    const mark = await running(folder);
    if (!mark) return;
    // Written first: the wrapper dies with its group and cannot say how it ended.
    if (signal === 'SIGKILL') await writeFile(folder.file('killed'), '');
    try {
      process.kill(-mark.pid, signal);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
    }
  };

  const start = async (folder: ContainerFolder, spec: ContainerSpec) => {
    if (await folder.mark()) return;
    const words = commandWords(spec.command);
    const workDir = folder.file('work');
    const env = programEnv(spec, {
      work: workDir,
      output: folder.file('output'),
      input: folder.file('input'),
    });
    await checkProgram(words[0] ?? '', env, workDir);
    const [out, err] = await Promise.all([
      openFile(folder.file('stdout'), 'a'),
      openFile(folder.file('stderr'), 'a'),
    ]);
    try {
      const child = spawn('/bin/sh', ['-c', WRAPPER, 'sh', folder.path, ...words], {
        cwd: workDir,
        env,
        detached: true,
        stdio: ['ignore', out.fd, err.fd],
      });
      child.unref();
      await new Promise<void>((done, fail) => {
        child.once('spawn', done);
        child.once('error', (error) =>
          fail(
            new AppError('container_start_failed', `cannot start a shell: ${error.message}`, {
              cause: error,
            }),
          ),
        );
      });
    } finally {
      await Promise.all([out.close(), err.close()]);
    }
    const end = performance.now() + START_LIMIT_MS;
    while (!(await folder.mark())) {
      if (performance.now() > end)
        throw new AppError('container_start_failed', 'the shell around the program did not begin in time');
      await delay(5);
    }
  };

  const listAll = async () => {
    const all = await Promise.all((await listFolders(root)).map((folder) => folder.status()));
    return all.filter((status) => status !== null);
  };

  const remove = (id: string) =>
    engineCall('remove the program', async () => {
      const folder = openFolder(root, id);
      const end = performance.now() + REMOVE_LIMIT_MS;
      while (await running(folder)) {
        await signalGroup(folder, 'SIGKILL');
        if (performance.now() > end) {
          throw new AppError('runtime_unavailable', `the program of ${id} does not end`, { retryable: true });
        }
        await delay(10);
      }
      await folder.remove();
    });

  return {
    kind: 'process',

    info: () =>
      engineCall('look at the machine', async () => {
        return {
          kind: 'process',
          version: process.versions.node,
          os: process.platform,
          arch: process.arch,
          cpuCores: cpus().length,
          memoryMb: Math.floor(totalmem() / 2 ** 20),
          storageMb: Math.floor((await freeDiskMb(root)) ?? 0),
          gpuSupport: false,
        };
      }),

    health: () =>
      engineCall('look at the machine', async () => ({
        freeMb: await freeDiskMb(root),
        networkFault: null,
      })),

    async ensureImage() {
      return 'process:no-image';
    },

    // Programs come from the machine itself.
    async images() {
      return [];
    },

    provideInput: (of, files, signal) =>
      engineCall('provide the input', () => inputs.provide(folderName(of), files, signal)),

    dropInput: (of) => engineCall('remove the input', () => inputs.drop(folderName(of))),

    create: (spec) =>
      engineCall('create the folder of the task', async () => {
        commandWords(spec.command);
        if (spec.mounts.length > 0)
          throw new AppError('container_start_failed', 'its worker has no containers to mount folders in');
        return (await createFolder(root, spec, (to) => inputs.take(folderName(spec), to))).id;
      }),

    attach: (id, sink) => engineCall('read the output', () => followOutput(openFolder(root, id), sink)),
    replay: (id, sink) => engineCall('read the output', () => followOutput(openFolder(root, id), sink)),

    start: (id) =>
      engineCall('start the program', async () => {
        const folder = openFolder(root, id);
        const spec = await folder.spec();
        if (!spec) throw new AppError('not_found', `there is no container ${id}`);
        await start(folder, spec);
      }),

    wait: (id, signal) =>
      engineCall('wait for the program', async () => {
        for (;;) {
          const status = await openFolder(root, id).status();
          if (!status) throw new AppError('not_found', `the container ${id} is gone`);
          if (status.state === 'exited') return status;
          await untilAborted(delay(LOOK_EVERY_MS), signal);
        }
      }),

    async *readOutput(id, signal) {
      const folder = openFolder(root, id);
      if (!(await engineCall('look at the program', () => folder.spec()))) {
        throw new AppError('not_found', `there is no container ${id}`);
      }
      yield* outputEntries(folder.file('output'), signal);
      if (signal?.aborted) throw new AppError('timed_out', 'reading the output folder was given up');
    },

    measure: (id) =>
      engineCall('measure the program', async () => {
        const mark = await running(openFolder(root, id));
        return mark && groupUsage(mark.pid);
      }),

    inspect: (id) => engineCall('look at the program', async () => openFolder(root, id).status()),

    list: (workerId) =>
      engineCall('list programs', async () => {
        await inputs.sweep();
        return (await listAll()).filter((status) => status.workerId === workerId);
      }),

    strays: (workerId) =>
      engineCall('list programs', async () =>
        (await listAll()).filter((status) => status.workerId !== workerId).map(strayContainer),
      ),

    kill: (id, signal) =>
      engineCall(`send ${signal} to the program`, () => signalGroup(openFolder(root, id), signal)),

    remove,
    removeStray: ({ id }) => remove(id),

    async close() {
      // Programs go on; the next life finds them by their files.
    },
  };
}
