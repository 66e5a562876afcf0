// A set-up command that stays in the foreground: options, data folder and its lock, Ctrl-C, and at the end everything
// it started is stopped, nothing else. What it brings up is said by its caller.

import { constants } from 'node:fs';
import { access } from 'node:fs/promises';
import { AppError, isAppError, messageOf } from '../../shared/errors.ts';
import { makePrivateFolder } from '../../shared/platform/private-file.ts';
import { EXIT_BAD_CONFIG, EXIT_FAULT } from '../../shared/platform/service.ts';
import { type InstanceLock, lockDataFolder } from '../supervisor/instance-lock.ts';
import { Owned } from './owned.ts';
import { Progress } from './progress.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';

export interface ForegroundRun<Options> {
  readonly options: Options;
  readonly progress: Progress;
  readonly owned: Owned;
  readonly stop: StopRequest;
  /** Asks what is being stopped once more; replaced once there is something. */
  hurry: () => void;
  /** Ends the processes by force; replaced once there are some. */
  killNow: () => void;
  exitCode: number;
}

export interface ForegroundCommand<Options> {
  /** Null when help is asked for. @throws {AppError} `bad_config` */
  read(): Options | null;
  readonly usage: string;
  /** As it is typed. */
  readonly command: string;
  /** Where what runs can be reached, for whoever starts a second one on the same folder. */
  address(options: Options): string;
  /** Starts a second one beside the first. */
  readonly another: string;
  bringUp(run: ForegroundRun<Options>): Promise<void>;
}

const EXIT_INTERRUPTED = 130;
/** From finishing to handing over, and from that to leaving; after that by force. */
const MOST_HURRIES = 2;

function stopsSlowly({ SHUTDOWN = '' }: NodeJS.ProcessEnv): boolean {
  return SHUTDOWN === 'finish' || SHUTDOWN === 'hand-over';
}

/** Resolves with the exit code. */
export async function runInForeground<Options extends { readonly dataDir: string }>(
  command: ForegroundCommand<Options>,
): Promise<number> {
  // A terminal or a pipe that is closed must not end this before it has stopped what it started.
  for (const out of [process.stdout, process.stderr]) out.on('error', () => undefined);
  try {
    return await live(command, new Progress());
  } catch (error) {
    process.stderr.write(`${messageOf(error)}\n`);
    return EXIT_FAULT;
  }
}

async function live<Options extends { readonly dataDir: string }>(
  command: ForegroundCommand<Options>,
  progress: Progress,
): Promise<number> {
  let lock: InstanceLock | null = null;
  let run: ForegroundRun<Options> | null = null;
  try {
    const options = command.read();
    if (!options) {
      progress.line(command.usage);
      return 0;
    }
    await makeDataFolder(options.dataDir, command.command);
    lock = await lockDataFolder(options.dataDir, command.address(options), command.another);
    run = {
      options,
      progress,
      owned: new Owned((line) => progress.line(line)),
      ...stopping(() => run, progress),
    };
    await command.bringUp(run);
  } catch (error) {
    if (run?.stop.isWanted) {
      run.exitCode ||= EXIT_INTERRUPTED;
    } else {
      const why = progress.hasShown(error) ? 'see above' : messageOf(error);
      process.stderr.write(`CloudAI did not start: ${why}\n`);
      const code = isAppError(error, 'bad_config') ? EXIT_BAD_CONFIG : EXIT_FAULT;
      if (run) run.exitCode = code;
      else return code;
    }
  } finally {
    if (run) {
      const { isEmpty } = run.owned;
      if (!(await run.owned.stopAll())) run.exitCode ||= EXIT_FAULT;
      if (!isEmpty) progress.line('Stopped.');
    }
    await lock?.release();
  }
  return run?.exitCode ?? 0;
}

async function makeDataFolder(path: string, command: string): Promise<void> {
  try {
    await makePrivateFolder(path);
    await access(path, constants.W_OK);
  } catch (error) {
    throw new AppError(
      'bad_config',
      `the data folder cannot be used: ${messageOf(error)}.\n  Choose another: DATA_DIR=~/cloudai-data ${command}`,
      { cause: error },
    );
  }
}

function stopping<Options>(
  run: () => ForegroundRun<Options> | null,
  progress: Progress,
): Pick<ForegroundRun<Options>, 'stop' | 'hurry' | 'killNow' | 'exitCode'> {
  let again = 0;
  const stop = listenForStop(() => {
    again += 1;
    const isLong = stopsSlowly(process.env);
    if (again > (isLong ? MOST_HURRIES + 1 : 1)) process.exit(EXIT_INTERRUPTED);
    if (isLong && again <= MOST_HURRIES) {
      progress.line('Hurrying …');
      run()?.hurry();
      return;
    }
    progress.line('Stopping at once …');
    run()?.killNow();
  });
  void stop.wanted.then((why) => {
    progress.line();
    progress.line(
      stopsSlowly(process.env)
        ? `Stopping (${why}); what runs is to end first (SHUTDOWN=${process.env.SHUTDOWN}); once more to hurry …`
        : `Stopping (${why}); once more to stop at once …`,
    );
  });
  return { stop, hurry: () => undefined, killNow: () => undefined, exitCode: 0 };
}
