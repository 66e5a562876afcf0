// The Docker that runs tasks: the one DOCKER_HOST names, one that answers on a usual socket, or, as root on Debian
// or Ubuntu, one that is installed and started here. Stops only what it started.

import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import Docker from 'dockerode';
import { AppError, messageOf } from '../../shared/errors.ts';
import { findProgram, stopPid } from './commands.ts';
import type { DebianPackages } from './debian-packages.ts';
import { forgetDaemon, leftoverDaemon, startDaemon } from './docker-daemon.ts';
import type { Note } from './progress.ts';

export interface RunningDocker {
  readonly docker: Docker;
  /** For DOCKER_HOST of other processes. */
  readonly host: string;
  /** "20.10.24 (started, pid 4242)" */
  readonly how: string;
  /** Stops it if it was started here. Says what it did or why it left it; null when there was nothing to do. */
  stop(): Promise<string | null>;
}

export interface DockerOptions {
  /** Value of DOCKER_HOST; empty when it is not set. */
  readonly host: string;
  readonly dataDir: string;
  readonly logFile: string;
  readonly packages: DebianPackages;
  /** Keep the engine while tasks run in it: a worker's next life takes them over. */
  readonly leaveTasks?: boolean;
}

const DEFAULT_SOCKET = '/var/run/docker.sock';
/** What containers of CloudAI carry: tasks, network slots, and what set-up itself runs. */
const OUR_LABELS = ['cloudai.task', 'cloudai.slot', 'cloudai.setup'];
const PING_DEADLINE_MS = 5_000;
const STOP_GRACE_MS = 30_000;

/** @throws {AppError} `bad_config` or `runtime_unavailable` with what to do. */
export async function ensureDocker(options: DockerOptions, note: Note): Promise<RunningDocker> {
  if (options.host !== '') return useGivenDocker(options.host);
  const faults: string[] = [];
  for (const socket of usualSockets()) {
    const answer = await askDocker(socket);
    if (answer.ok) return await useFoundDocker(socket, answer.version, options);
    if (answer.code === 'EACCES') faults.push(forbidden(socket));
  }
  const program = await findDaemon(options, note);
  if (!program) {
    const what = faults.length > 0 ? faults.join('\n') : howToGetDocker();
    throw new AppError('runtime_unavailable', `${what}\n${WITHOUT_DOCKER}`);
  }
  const answers = async () => (await askDocker(DEFAULT_SOCKET)).ok;
  // The package's own service may be on its way up.
  const pid = (await answers()) ? null : await startDaemon({ ...options, program, answers }, note);
  const answer = await askDocker(DEFAULT_SOCKET);
  if (!answer.ok) throw new AppError('runtime_unavailable', `Docker went away again: ${answer.fault}`);
  const docker = openDocker(DEFAULT_SOCKET);
  return {
    docker,
    host: `unix://${DEFAULT_SOCKET}`,
    how:
      pid === null ? `${answer.version} (started as a service)` : `${answer.version} (started, pid ${pid})`,
    stop: () => (pid === null ? Promise.resolve(null) : stopOwn(docker, pid, options)),
  };
}

/** A client for a socket of this machine, or for what DOCKER_HOST names with all that belongs to it (TLS, ssh). */
function openDocker(socket: string | null, timeoutMs?: number): Docker {
  const limit = timeoutMs === undefined ? {} : { timeout: timeoutMs };
  return new Docker(socket === null ? limit : { socketPath: socket, ...limit });
}

type DockerAnswer =
  | { readonly ok: true; readonly version: string }
  | { readonly ok: false; readonly code: string | null; readonly fault: string };

async function askDocker(socket: string | null): Promise<DockerAnswer> {
  if (socket !== null && !existsSync(socket)) {
    return { ok: false, code: 'ENOENT', fault: 'there is no such socket' };
  }
  try {
    const { Version } = await openDocker(socket, PING_DEADLINE_MS).version();
    return { ok: true, version: Version };
  } catch (error) {
    return { ok: false, code: (error as NodeJS.ErrnoException).code ?? null, fault: messageOf(error) };
  }
}

async function useGivenDocker(host: string): Promise<RunningDocker> {
  const answer = await askDocker(null);
  if (!answer.ok) {
    throw new AppError(
      'bad_config',
      `DOCKER_HOST is ${host}, but ${answer.fault}.\n  Start that Docker, or unset DOCKER_HOST to use this machine's own.`,
    );
  }
  return {
    docker: openDocker(null),
    host,
    how: `${answer.version} (was there: ${host})`,
    stop: async () => null,
  };
}

async function useFoundDocker(
  socket: string,
  version: string,
  options: DockerOptions,
): Promise<RunningDocker> {
  const docker = openDocker(socket);
  const pid = socket === DEFAULT_SOCKET ? await leftoverDaemon(options.dataDir) : null;
  return {
    docker,
    host: `unix://${socket}`,
    how: pid === null ? `${version} (was there)` : `${version} (started by an earlier run, pid ${pid})`,
    stop: () => (pid === null ? Promise.resolve(null) : stopOwn(docker, pid, options)),
  };
}

async function findDaemon({ packages }: DockerOptions, note: Note): Promise<string | null> {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return null;
  // A `docker` on the PATH is only the client; what counts is the daemon, and iptables for its networks.
  const missing = [
    ...(findProgram('dockerd') ? [] : ['docker.io']),
    ...(findProgram('iptables') ? [] : ['iptables']),
  ];
  if (missing.length > 0 && packages.available) await packages.install(missing, note);
  return findProgram('dockerd');
}

/** Every container ends with its daemon, so one that serves others as well is left alone. */
async function stopOwn(docker: Docker, pid: number, { dataDir, leaveTasks }: DockerOptions): Promise<string> {
  const running = await docker.listContainers().catch(() => []);
  const foreign = running.filter(({ Labels }) => !OUR_LABELS.some((label) => label in Labels));
  if (foreign.length > 0) {
    return `Docker (pid ${pid}) stays: ${foreign.length} container(s) that are not CloudAI's run in it`;
  }
  const tasks = running.filter(({ Labels }) => Labels['cloudai.task'] !== undefined);
  if (leaveTasks && tasks.length > 0) {
    return `Docker (pid ${pid}) stays: ${tasks.length} task(s) run in it, and the next start goes on with them`;
  }
  if (!(await stopPid(pid, STOP_GRACE_MS))) return `Docker (pid ${pid}) would not stop`;
  await forgetDaemon(dataDir);
  return tasks.length === 0
    ? `Docker stopped (pid ${pid})`
    : `Docker stopped (pid ${pid}), and with it ${tasks.length} task(s) that were running`;
}

function usualSockets(): string[] {
  const runtimeDir = process.env.XDG_RUNTIME_DIR;
  return [
    DEFAULT_SOCKET,
    // Rootless Docker, then Docker Desktop.
    ...(runtimeDir ? [`${runtimeDir}/docker.sock`] : []),
    `${homedir()}/.docker/run/docker.sock`,
  ];
}

function forbidden(socket: string): string {
  return (
    `Docker is there (${socket}), but this user may not use it.\n` +
    '  Let it: "sudo usermod -aG docker $USER", then log in again; or run as root.'
  );
}

const WITHOUT_DOCKER =
  '  To try CloudAI without Docker, and without any isolation of tasks, set RUNTIME=process.';

function howToGetDocker(): string {
  const isMac = process.platform === 'darwin';
  return (
    'no Docker answers, and it cannot be installed from here (that takes root on Debian or Ubuntu).\n' +
    (isMac
      ? '  Install and start Docker Desktop or colima, then try again.'
      : '  On Debian or Ubuntu: "sudo apt-get install docker.io"; elsewhere see https://docs.docker.com/engine/install.\n' +
        '  Then start it ("sudo systemctl start docker") and try again.')
  );
}
