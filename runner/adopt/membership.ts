// The life of a runner that gets its cluster from an admin: it waits, is adopted, works, and waits again when the
// admin has removed it.
//
//   ●──► waiting ──── settings taken and kept ────► member ──► (restarted: member at once)
//           ▲                                         │
//           └── removed by an admin and nothing runs: kept settings are dropped

import { networkInterfaces } from 'node:os';
import { AppError, isAppError } from '../../shared/errors.ts';
import type { Environment } from '../../shared/platform/config/reading.ts';
import { loadRunnerConfig, type RunnerConfig } from '../../shared/platform/config/runner.ts';
import type { ListenAddress, WaitingConfig } from '../../shared/platform/config/waiting-runner.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Service } from '../../shared/platform/service.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { type SettingsCheck, settingsFaults } from './check-settings.ts';
import { memberEnvironment } from './cluster-settings.ts';
import { type Kept, KeptSettings } from './kept-settings.ts';
import { missingHere } from './local-paths.ts';
import { startWaiting } from './server.ts';

export interface MemberLife {
  readonly config: RunnerConfig;
  /** It has been this worker before: when its record is gone by now, an admin has removed it. */
  readonly isReturning: boolean;
  /** The worker was removed, nothing runs any more, the runner has stopped. */
  onRetired(): void;
}

export interface MemberService extends Service {
  /** Resolves when the worker is up, or was stopped before. */
  readonly up: Promise<void>;
}

export interface MembershipParts {
  readonly config: WaitingConfig;
  readonly env: Environment;
  /** Drop what was kept before. */
  readonly forget: boolean;
  readonly clock: Clock;
  readonly log: Log;
  readonly tryCluster: SettingsCheck['tryCluster'];
  /** Runs as a worker until it is stopped, which may be before it is up. */
  openRunner(life: MemberLife): Promise<MemberService>;
  /** For a person who watches; it is in the log as well. */
  say(text: string): void;
  /** It cannot go on. Called once. */
  onFatal(error: unknown): void;
}

export class Membership implements Service {
  readonly #parts: MembershipParts;
  readonly #kept: KeptSettings;
  #current: Service | null = null;
  /** The change from one to the next, while there is one. */
  #change: Promise<void> = Promise.resolve();
  #isStopping = false;
  /** Where it waits now; null when it does not. */
  #port: number | null = null;

  constructor(parts: MembershipParts) {
    this.#parts = parts;
    this.#kept = new KeptSettings(parts.config.dataDir);
  }

  get port(): number | null {
    return this.#port;
  }

  /** Resolves when it waits, or works as the worker it was before. */
  async start(): Promise<void> {
    if (this.#parts.forget) await this.#kept.drop();
    const kept = await this.#load();
    if (kept) await this.#work(kept);
    else await this.#wait();
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    await this.#current?.stop();
    await this.#change;
  }

  hurry(how: 'on' | 'at_once'): void {
    this.#current?.hurry?.(how);
  }

  async #load(): Promise<Kept | null> {
    const { workerId } = this.#parts.config;
    try {
      const kept = await this.#kept.load();
      if (kept === null) return null;
      if (workerId === null || kept.settings.WORKER_ID === workerId) {
        this.#say(`goes on as ${kept.settings.WORKER_ID}`);
        return kept;
      }
    } catch (error) {
      if (!isAppError(error, 'bad_config')) throw error;
      this.#say(`${error.message}: it waits anew`, 'warn');
      return null;
    }
    throw new AppError(
      'bad_config',
      `WORKER_ID is ${workerId}, but this machine was added to a cluster under another name (${this.#kept.path}).\n` +
        '  Start it once with --forget to have it added anew.',
    );
  }

  async #wait(): Promise<void> {
    const { config, env, clock, log, tryCluster } = this.#parts;
    const ownAddresses = machineAddresses();
    const waiting = await startWaiting({
      listen: config.listen,
      token: config.clusterToken,
      workerId: config.workerId,
      clock,
      log,
      faultsOf: (settings, caller) => settingsFaults(settings, caller, { env, ownAddresses, tryCluster }),
      keep: (settings) => this.#kept.keep({ settings, hasJoined: false }),
      say: (text) => this.#say(text),
    });
    await this.#enter(waiting);
    this.#port = waiting.port;
    const where = reachableAt(config.listen, waiting.port, ownAddresses);
    this.#say(
      `waiting at ${where} to be added to a cluster: cloudai register ${config.workerId ?? '<worker id>'} ${where}`,
    );
    void waiting.adopted.then((settings) =>
      this.#goOn(async () => {
        this.#port = null;
        await waiting.stop();
        await this.#work({ settings, hasJoined: false });
      }),
    );
  }

  async #work({ settings, hasJoined }: Kept): Promise<void> {
    const { env, log, openRunner } = this.#parts;
    // An empty database or folder in the place of the cluster's own would look like a loss of everything.
    const missing = await missingHere(settings);
    if (missing.length > 0) {
      throw new AppError('store_unavailable', `${missing.join('; ')} (kept in ${this.#kept.path})`, {
        retryable: true,
      });
    }
    const config = loadRunnerConfig(memberEnvironment(env, settings));
    const { workerId } = config;
    let isRetired = false;
    let retire: () => void = () => undefined;
    const retired = new Promise<void>((done) => {
      retire = done;
    });
    const onRetired = () => {
      isRetired = true;
      retire();
    };
    const runner = await openRunner({ config, isReturning: hasJoined, onRetired });
    await this.#enter(runner);
    await runner.up;
    if (!isRetired && !this.#isStopping) {
      this.#say(`${workerId} is up`);
      // Without this a removal while the machine is off goes unnoticed; that is no reason not to work.
      await this.#kept
        .keep({ settings, hasJoined: true })
        .catch((error) => log.warn({ err: error }, 'that it has joined was not kept'));
    }
    void retired.then(() => this.#goOn(() => this.#leave(workerId)));
  }

  async #leave(workerId: string): Promise<void> {
    const retired = this.#current;
    this.#current = null;
    await retired?.stop();
    await this.#kept.drop();
    this.#say(`${workerId} was removed from its cluster by an admin: it waits anew`, 'warn');
    await this.#wait();
  }

  /** What was being opened when it was told to stop is closed again. */
  async #enter(service: Service): Promise<void> {
    this.#current = service;
    if (this.#isStopping) await service.stop();
  }

  #goOn(step: () => Promise<void>): void {
    if (this.#isStopping) return;
    this.#change = step().catch((error) => {
      if (!this.#isStopping) this.#parts.onFatal(error);
    });
  }

  #say(text: string, level: 'info' | 'warn' = 'info'): void {
    this.#parts.log[level](text);
    this.#parts.say(text);
  }
}

function machineAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .filter(({ internal }) => !internal)
    .map(({ address }) => address.replace(/%.*$/, ''));
}

/** One address another machine could use; the one it listens on when that is a certain one. */
function reachableAt({ host }: ListenAddress, port: number, own: readonly string[]): string {
  const isAnywhere = host === '0.0.0.0' || host === '::';
  const shown = isAnywhere ? (own.find((address) => address.includes('.')) ?? own[0] ?? host) : host;
  return shown.includes(':') ? `[${shown}]:${port}` : `${shown}:${port}`;
}
