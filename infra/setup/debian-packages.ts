// Installs packages of Debian and its kin as root. Elsewhere it only says that it cannot.

import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { AppError } from '../../shared/errors.ts';
import { findProgram, lastLines, type RunResult, runProgram } from './commands.ts';
import type { Note } from './progress.ts';

const UPDATE_DEADLINE_MS = 5 * 60_000;
const INSTALL_DEADLINE_MS = 15 * 60_000;
/** How long another apt may keep its locks, e.g. unattended upgrades after boot. */
const LOCK_DEADLINE_MS = 3 * 60_000;
const LOCK_PAUSE_MS = 3_000;

// E: Could not get lock /var/lib/apt/lists/lock. It is held by process 4242 (apt-get)
// E: Could not get lock /var/lib/dpkg/lock-frontend - open (11: Resource temporarily unavailable)
const LOCKED = /Could not get lock/;

export class DebianPackages {
  readonly #logFile: string;
  readonly #apt: string | null;
  #updated = false;

  constructor(options: { logFile: string; apt?: string | null; isRoot?: boolean }) {
    const isRoot = options.isRoot ?? process.getuid?.() === 0;
    const apt = options.apt === undefined ? findProgram('apt-get') : options.apt;
    this.#logFile = options.logFile;
    this.#apt = isRoot ? apt : null;
  }

  /** Whether this machine and this user can install packages. */
  get available(): boolean {
    return this.#apt !== null;
  }

  /** @throws {AppError} `internal` with the end of apt's output when it cannot be done. */
  async install(names: readonly string[], note: Note): Promise<void> {
    const wanted = names.join(' ');
    if (!this.available) {
      throw new AppError('internal', `${wanted} can be installed only as root on Debian or Ubuntu`);
    }
    await this.#update(note);
    note(`installing ${wanted}`);
    let result = await this.#run(installArgs(names), INSTALL_DEADLINE_MS, note);
    if (result.code !== 0) {
      // Lists may have changed on the mirror meanwhile, or a download broke off.
      this.#updated = false;
      await this.#update(note);
      note(`installing ${wanted}, second try`);
      result = await this.#run(installArgs(names), INSTALL_DEADLINE_MS, note);
    }
    if (result.code !== 0) {
      throw new AppError(
        'internal',
        `apt-get could not install ${wanted} (${why(result)}); all of its output is in ${this.#logFile}:\n${lastLines(result.output, 8)}`,
      );
    }
  }

  /** A failed update is no failure yet: what is wanted may be in the lists already. */
  async #update(note: Note): Promise<void> {
    if (this.#updated) return;
    note('reading the package lists');
    const { code } = await this.#run(['update'], UPDATE_DEADLINE_MS, note);
    this.#updated = code === 0;
  }

  async #run(args: readonly string[], deadlineMs: number, note: Note): Promise<RunResult> {
    const end = performance.now() + LOCK_DEADLINE_MS;
    for (;;) {
      const result = await runProgram(this.#apt ?? 'apt-get', args, {
        deadlineMs,
        logFile: this.#logFile,
        env: installEnv(),
      });
      if (result.code === 0 || !LOCKED.test(result.output) || performance.now() > end) return result;
      note('waiting for another apt to end');
      await delay(LOCK_PAUSE_MS);
    }
  }
}

function installArgs(names: readonly string[]): string[] {
  return [
    'install',
    '-y',
    '--no-install-recommends',
    // Never ask about a changed configuration file: keep the one that is there.
    ...['-o', 'Dpkg::Options::=--force-confdef', '-o', 'Dpkg::Options::=--force-confold'],
    ...['-o', `DPkg::Lock::Timeout=${LOCK_DEADLINE_MS / 1_000}`],
    ...names,
  ];
}

function installEnv(): Record<string, string> {
  const quiet = { DEBIAN_FRONTEND: 'noninteractive', APT_LISTCHANGES_FRONTEND: 'none', LC_ALL: 'C.UTF-8' };
  // Without systemd the packages' init scripts would start daemons behind our back; in run level 1 they do not.
  return runsSystemd() ? quiet : { ...quiet, RUNLEVEL: '1' };
}

export function runsSystemd(): boolean {
  return existsSync('/run/systemd/system');
}

function why({ code, fault }: RunResult): string {
  return fault ?? `exit code ${code}`;
}
