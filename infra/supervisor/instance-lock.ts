// One running CloudAI per data folder: a file that names the process that holds it.

import { link, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { AppError } from '../../shared/errors.ts';

export interface LockHolder {
  readonly pid: number;
  /** Tells this process from a later one with the same id; null where the system does not say. */
  readonly startedAt: string | null;
  /** For the message to whoever comes second. */
  readonly address: string;
}

export interface InstanceLock {
  release(): Promise<void>;
}

/**
 * @param another a command that starts a second one beside the first, for the message
 * @throws {AppError} `conflict` when a live process holds the folder.
 */
export async function lockDataFolder(
  dataDir: string,
  address: string,
  another = 'DATA_DIR=./data2 PORT=8081 GRPC_PORT=off WORKER_ID=worker-2 npm start',
): Promise<InstanceLock> {
  const file = join(dataDir, 'running.json');
  const holder: LockHolder = { pid: process.pid, startedAt: await startOf(process.pid), address };
  const draft = `${file}.${process.pid}.new`;
  await writeFile(draft, JSON.stringify(holder), { mode: 0o600 });
  try {
    for (let tries = 0; ; tries += 1) {
      try {
        // Unlike a write, a link appears with its whole content and fails when the name is taken.
        await link(draft, file);
        break;
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'EEXIST' || tries === 3) throw error;
      }
      const other = await readHolder(file);
      if (other && (await isRunning(other))) throw alreadyRuns(other, dataDir, another);
      await rm(file, { force: true });
    }
  } finally {
    await rm(draft, { force: true });
  }
  return {
    release: async () => {
      const now = await readHolder(file);
      if (now?.pid === holder.pid && now.startedAt === holder.startedAt) await rm(file, { force: true });
    },
  };
}

async function readHolder(file: string): Promise<LockHolder | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as LockHolder;
  } catch {
    return null;
  }
}

async function isRunning(holder: LockHolder): Promise<boolean> {
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  return holder.startedAt === null || (await startOf(holder.pid)) === holder.startedAt;
}

/** When a process started, in the kernel's own ticks since boot. */
async function startOf(pid: number): Promise<string | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  // The name in brackets may hold blanks and brackets itself; field 22 is the 20th after it.
  return stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? null;
}

function alreadyRuns(other: LockHolder, dataDir: string, another: string): AppError {
  return new AppError(
    'conflict',
    `CloudAI already runs on ${dataDir}: process ${other.pid}, ${other.address}.\n` +
      `  Stop it first (Ctrl-C where it runs, or "kill ${other.pid}"), or start a second one on its own folder:\n` +
      `  ${another}`,
  );
}
