// A Docker engine on a host's network, with images, containers and networks of its own: killed, frozen and started again
// without harm to others.

import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import Docker from 'dockerode';
import { findProgram, fullPath, hasEnded, lastLinesOf, stopChild } from '../../../infra/setup/commands.ts';
import { untilAborted } from '../../../shared/platform/deadline.ts';
import { TEST_IMAGE } from '../servers.ts';
import { waitFor } from '../wait-for.ts';
import { unmountUnder } from './leftovers.ts';

const UP_DEADLINE_MS = 60_000;
const MOST_STARTS = 5;
const STOP_GRACE_MS = 15_000;
const CALL_DEADLINE_MS = 10_000;

export class HostEngine {
  /** For a runner's settings. */
  readonly host: string;
  readonly client: Docker;
  readonly logFile: string;
  readonly #name: string;
  readonly #folder: string;
  readonly #through: readonly string[];
  readonly #arguments: readonly string[];
  #daemon: ChildProcess | null = null;

  constructor(
    name: string,
    folder: string,
    through: readonly string[],
    engineArguments: readonly string[] = [],
  ) {
    this.#name = name;
    this.#folder = folder;
    this.#through = through;
    this.#arguments = engineArguments;
    this.host = `unix://${folder}/docker.sock`;
    this.logFile = `${folder}/dockerd.log`;
    this.client = new Docker({ socketPath: `${folder}/docker.sock` });
  }

  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  /** As a service manager would, it tries again: a daemon that was killed may find its control daemon in disorder. */
  async start(): Promise<void> {
    for (let tries = 1; ; tries += 1) {
      if (await this.#tryStart()) return;
      if (tries < MOST_STARTS) continue;
      throw new Error(`the Docker engine of ${this.#name} ended:\n${await lastLinesOf(this.logFile, 12)}`);
    }
  }

  /** False when the daemon ended. */
  async #tryStart(): Promise<boolean> {
    const dockerd = findProgram('dockerd');
    if (!dockerd) throw new Error('a host with Docker needs dockerd, which is not here');
    const folder = this.#folder;
    await mkdir(`${folder}/run`, { recursive: true });
    // A daemon that was killed leaves it, and the next one does not start while any process has that id.
    await rm(`${folder}/docker.pid`, { force: true });
    const log = await open(this.logFile, 'a');
    const [first = '', ...words] = this.#through;
    const daemon = spawn(
      first,
      [
        ...[...words, dockerd, '--host', this.host, '--pidfile', `${folder}/docker.pid`],
        ...['--data-root', `${folder}/data`, '--exec-root', `${folder}/run`],
        // The control daemon may be the machine's own; in it each engine has a room of its own.
        ...['--containerd-namespace', this.#name, '--containerd-plugins-namespace', `plugins.${this.#name}`],
        ...this.#arguments,
      ],
      // A group of its own: what a terminal sends to the tests is not for it.
      { detached: true, stdio: ['ignore', log.fd, log.fd], env: { ...process.env, PATH: fullPath() } },
    );
    daemon.on('error', () => undefined);
    this.#daemon = daemon;
    await log.close();
    await waitFor(() => hasEnded(daemon) || this.answers(), {
      what: `the Docker engine of ${this.#name}`,
      deadlineMs: UP_DEADLINE_MS,
      everyMs: 50,
    });
    return !hasEnded(daemon);
  }

  answers(deadlineMs = CALL_DEADLINE_MS): Promise<boolean> {
    return untilAborted(this.client.ping(), AbortSignal.timeout(deadlineMs)).then(
      () => true,
      () => false,
    );
  }

  /** From the machine's own engine, which made it. */
  async loadTestImage(): Promise<void> {
    const image = await new Docker().getImage(TEST_IMAGE).get();
    const done = await this.client.loadImage(image);
    await new Promise<void>((loaded, failed) => {
      this.client.modem.followProgress(done, (error) => (error ? failed(error) : loaded()));
    });
  }

  /** SIGKILL, to the daemon alone: its containers go on until it is started again. */
  kill(): Promise<void> {
    return this.end('SIGKILL');
  }

  /** With SIGTERM it stops its containers first. */
  async end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void> {
    const daemon = this.#daemon;
    this.#daemon = null;
    if (!daemon || hasEnded(daemon)) return;
    const gone = new Promise((done) => daemon.once('exit', done));
    daemon.kill(signal);
    await gone;
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  /** It takes connections and never answers. */
  freeze(): void {
    this.#daemon?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#daemon?.kill('SIGCONT');
  }

  /** Containers of a task that run, by what the engine says. */
  async running(taskId: string): Promise<string[]> {
    const filters = { label: [`cloudai.task=${taskId}`] };
    return (await this.client.listContainers({ filters })).map(({ Id }) => Id);
  }

  /** It was killed with its host. */
  async died(): Promise<void> {
    await this.kill();
  }

  /** What a machine that starts anew finds empty. */
  async clearRuntimeFolder(): Promise<void> {
    await unmountUnder(`${this.#folder}/run`);
    await rm(`${this.#folder}/run`, { recursive: true, force: true });
  }

  /** Orderly, so that containers leave nothing on the machine. */
  async stop(): Promise<void> {
    this.thaw();
    const daemon = this.#daemon;
    this.#daemon = null;
    if (!daemon || hasEnded(daemon)) return;
    const containers = await this.client.listContainers({ all: true }).catch(() => []);
    await Promise.allSettled(
      containers.map(({ Id }) => this.client.getContainer(Id).remove({ force: true, v: true })),
    );
    await stopChild(daemon, STOP_GRACE_MS);
  }

  async log(): Promise<string> {
    return readFile(this.logFile, 'utf8');
  }
}
