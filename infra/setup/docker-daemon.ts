// Starts dockerd on a Linux machine where it is installed but does not run, and stops it again.
// Only ever stops the process it started; never starts one where another answers or lives.

import { spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError, messageOf } from '../../shared/errors.ts';
import { readPrivateFile, writePrivateFile } from '../../shared/platform/private-file.ts';
import { missingCgroupMounts } from './cgroups.ts';
import { fullPath, isAlive, lastLinesOf, runProgram, until } from './commands.ts';
import { runsSystemd } from './debian-packages.ts';
import type { Note } from './progress.ts';

const START_DEADLINE_MS = 90_000;
const MOUNT_DEADLINE_MS = 10_000;
/** Where dockerd keeps its process id; it refuses to start when that id is in use, be it by another program. */
const PID_FILE = '/var/run/docker.pid';

export interface DaemonOptions {
  readonly program: string;
  readonly logFile: string;
  /** Holds the note of which daemon was started from here. */
  readonly dataDir: string;
  readonly answers: () => Promise<boolean>;
}

/** The process id of the daemon started here, or null when the machine's service manager runs it. */
export async function startDaemon(options: DaemonOptions, note: Note): Promise<number | null> {
  if (runsSystemd()) return startService(options, note);
  await mountCgroups(options.logFile);
  await removeStalePidFile(PID_FILE);
  note('starting dockerd');
  const log = await open(options.logFile, 'a', 0o600);
  // A session of its own: the Ctrl-C of a terminal must not end it before the tasks that run in it.
  const child = spawn(options.program, [], {
    detached: true,
    stdio: ['ignore', log.fd, log.fd],
    env: { ...process.env, PATH: fullPath() },
  });
  let fault: string | null = null;
  child.once('error', (error) => {
    fault = error.message;
  });
  child.once('exit', (code, signal) => {
    fault = `it ended with ${signal ?? `exit code ${code}`}`;
  });
  await log.close();
  await until(async () => fault !== null || (await options.answers()), START_DEADLINE_MS);
  const up = fault === null && (await options.answers());
  if (up && child.pid !== undefined) {
    // Its output goes to a file: nothing of this process keeps it, and it must not keep this process.
    child.unref();
    await writePrivateFile(noteFile(options.dataDir), JSON.stringify({ pid: child.pid }));
    return child.pid;
  }
  if (fault === null) child.kill('SIGTERM');
  throw new AppError(
    'runtime_unavailable',
    `dockerd did not come up: ${fault ?? `no answer after ${START_DEADLINE_MS / 1_000} s`}. The end of ${options.logFile}:\n` +
      `${await lastLinesOf(options.logFile, 10)}${await hint(options.logFile)}`,
  );
}

/** The daemon an earlier, killed run started: as it was ours then, it is ours to stop now. */
export async function leftoverDaemon(dataDir: string): Promise<number | null> {
  const kept = await readPrivateFile(noteFile(dataDir));
  if (kept === null) return null;
  const { pid } = JSON.parse(kept) as { pid: number };
  return (await nameOf(pid)) === 'dockerd' ? pid : null;
}

export async function forgetDaemon(dataDir: string): Promise<void> {
  await rm(noteFile(dataDir), { force: true });
}

function noteFile(dataDir: string): string {
  return join(dataDir, 'dockerd.json');
}

async function startService({ logFile, answers }: DaemonOptions, note: Note): Promise<null> {
  note('starting the docker service');
  const result = await runProgram('systemctl', ['start', 'docker'], {
    deadlineMs: START_DEADLINE_MS,
    logFile,
  });
  if (result.code === 0 && (await until(answers, 15_000))) return null;
  throw new AppError(
    'runtime_unavailable',
    `the docker service does not come up (${result.fault ?? `systemctl: exit code ${result.code}`}). See "journalctl -u docker -n 50".`,
  );
}

async function mountCgroups(logFile: string): Promise<void> {
  const read = (file: string) => readFile(file, 'utf8').catch(() => '');
  const wanted = missingCgroupMounts(
    await read('/proc/mounts'),
    await read('/proc/cgroups'),
    await read('/proc/filesystems'),
  );
  for (const { folder, args } of wanted) {
    // What cannot be mounted dockerd reports itself, and better.
    await mkdir(folder, { recursive: true }).catch(() => undefined);
    await runProgram('mount', args, { deadlineMs: MOUNT_DEADLINE_MS, logFile });
  }
}

/** After a crash or a restart of the machine the file may name another program's process. */
export async function removeStalePidFile(file: string): Promise<void> {
  const text = await readFile(file, 'utf8').catch(() => null);
  if (text === null) return;
  const pid = Number.parseInt(text, 10);
  if (!Number.isNaN(pid) && isAlive(pid) && (await nameOf(pid)) === 'dockerd') {
    throw new AppError(
      'runtime_unavailable',
      `dockerd runs as process ${pid} but does not answer on its default socket.\n` +
        '  If it listens elsewhere, set DOCKER_HOST to that address; else stop it and try again.',
    );
  }
  await rm(file, { force: true });
}

async function nameOf(pid: number): Promise<string | null> {
  return readFile(`/proc/${pid}/comm`, 'utf8').then(
    (text) => text.trim(),
    () => null,
  );
}

async function hint(logFile: string): Promise<string> {
  const text = await readFile(logFile, 'utf8').catch((error) => messageOf(error));
  const end = text.slice(-8_192);
  // failed to create NAT chain DOCKER: iptables failed: iptables -t nat -N DOCKER: iptables v1.8.9 (nf_tables): …
  if (/iptables failed|iptables: .*not supported/i.test(end)) {
    return '\n  Its firewall rules were refused. Try "update-alternatives --set iptables /usr/sbin/iptables-legacy", then again.';
  }
  if (/permission denied|operation not permitted/i.test(end)) {
    return '\n  It lacks privileges here. Inside a container, that container must be started with --privileged.';
  }
  return '';
}
