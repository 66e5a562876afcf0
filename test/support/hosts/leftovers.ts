// Ending what runs on a host, whoever started it, and taking down what an engine has mounted.

import { readdir, readFile, rmdir } from 'node:fs/promises';
import { waitFor } from '../wait-for.ts';
import { ip, run } from './programs.ts';

const GONE_DEADLINE_MS = 20_000;

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly command: readonly string[];
}

/** Kills everything on a host at once, as a power cut does: its programs, its engine, the containers of that. */
export async function endProcesses(namespace: string): Promise<void> {
  const all = await processes();
  const shims = all.filter((one) => isShimOf(one, namespace));
  // Containers have network namespaces of their own: they are found below the shim that holds them.
  const contained = shims.flatMap(({ pid }) => below(pid, all));
  const own = (await ip('netns', 'pids', namespace)).split('\n').filter(Boolean).map(Number);
  const doomed = [...own, ...shims.map(({ pid }) => pid), ...contained];
  for (const pid of doomed) kill(pid);
  await waitFor(() => doomed.every((pid) => !isAlive(pid)), {
    what: `the processes of ${namespace} to end`,
    deadlineMs: GONE_DEADLINE_MS,
  });
  for (const { command } of shims) await removeControlGroups(command[command.indexOf('-id') + 1] ?? '');
}

// containerd-shim-runc-v2 -namespace cai-213-77-2 -id 3f0c… -address /tmp/…/containerd.sock
function isShimOf({ command }: Process, namespace: string): boolean {
  const at = command.indexOf('-namespace');
  return /containerd-shim/.test(command[0] ?? '') && command[at + 1] === namespace;
}

function below(pid: number, all: readonly Process[]): number[] {
  return all.filter(({ parent }) => parent === pid).flatMap((child) => [child.pid, ...below(child.pid, all)]);
}

async function processes(): Promise<Process[]> {
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
  const read = await Promise.all(
    pids.map(async (pid) => {
      try {
        const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
        // 4242 (a name (with anything)) S 1 …
        const parent = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]);
        const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).split('\0');
        return { pid: Number(pid), parent, command };
      } catch {
        return null;
      }
    }),
  );
  return read.filter((one) => one !== null);
}

/** Nobody removes the groups of a container whose engine was killed with it. */
async function removeControlGroups(containerId: string): Promise<void> {
  if (!/^[0-9a-f]{64}$/.test(containerId)) return;
  const root = '/sys/fs/cgroup';
  const controllers = await readdir(root).catch(() => []);
  const folders = [root, ...controllers.map((name) => `${root}/${name}`)];
  await Promise.all(folders.map((path) => rmdir(`${path}/docker/${containerId}`).catch(() => undefined)));
}

export async function unmountUnder(folder: string): Promise<void> {
  const mounted = (await readFile('/proc/mounts', 'utf8'))
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  // The last is mounted upon the first.
  for (const path of mounted.reverse()) await run('umount', ['--lazy', path]);
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
