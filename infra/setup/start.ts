// `npm start`: everything a CloudAI on one machine needs, then CloudAI itself, then a first task; stays in the
// foreground until Ctrl-C and stops what it started, nothing else.

import { constants, existsSync } from 'node:fs';
import { access, mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from '../../client/client.ts';
import { AppError, isAppError, messageOf } from '../../shared/errors.ts';
import { makePrivateFolder } from '../../shared/platform/private-file.ts';
import { EXIT_BAD_CONFIG, EXIT_FAULT } from '../../shared/platform/service.ts';
import { type InstanceLock, lockDataFolder } from '../supervisor/instance-lock.ts';
import { Supervisor, type SupervisorEvent } from '../supervisor/supervisor.ts';
import { ADMIN, type Admin, ensureAdmin } from './admin-account.ts';
import { runHelloTask } from './hello-task.ts';
import { type LocalServers, startServers } from './local-servers.ts';
import { Owned } from './owned.ts';
import { checkPort } from './port-check.ts';
import { localProcesses } from './processes.ts';
import { Progress } from './progress.ts';
import { awaitApi, awaitWorker, stopped } from './readiness.ts';
import { loadSecrets } from './secrets.ts';
import { readStartOptions, type StartOptions, USAGE } from './start-options.ts';
import { listenForStop, type StopRequest } from './stop-request.ts';
import { summaryLines } from './summary.ts';
import { watchWorkers } from './worker-watch.ts';

const dist = resolve(import.meta.dirname, '../..');
const EXIT_INTERRUPTED = 130;

interface Run {
  readonly options: StartOptions;
  readonly progress: Progress;
  readonly owned: Owned;
  readonly stop: StopRequest;
  /** Ends the processes by force; replaced once there are some. */
  killNow: () => void;
  exitCode: number;
}

async function main(): Promise<number> {
  // A terminal or a pipe that is closed must not end this before it has stopped what it started.
  for (const out of [process.stdout, process.stderr]) out.on('error', () => undefined);
  const progress = new Progress();
  let lock: InstanceLock | null = null;
  let run: Run | null = null;
  try {
    const options = readStartOptions(process.argv.slice(2), process.env, process.cwd());
    if (!options) {
      progress.line(USAGE);
      return 0;
    }
    await makeDataFolder(options.dataDir);
    lock = await lockDataFolder(options.dataDir, `http://localhost:${options.port}`);
    run = {
      options,
      progress,
      owned: new Owned((line) => progress.line(line)),
      ...stopping(() => run, progress),
    };
    await bringUp(run);
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

async function makeDataFolder(path: string): Promise<void> {
  try {
    await makePrivateFolder(path);
    await access(path, constants.W_OK);
  } catch (error) {
    throw new AppError(
      'bad_config',
      `the data folder cannot be used: ${messageOf(error)}.\n  Choose another: DATA_DIR=~/cloudai-data npm start`,
      { cause: error },
    );
  }
}

function stopping(run: () => Run | null, progress: Progress): Pick<Run, 'stop' | 'killNow' | 'exitCode'> {
  let again = 0;
  const stop = listenForStop(() => {
    again += 1;
    if (again > 1) process.exit(EXIT_INTERRUPTED);
    progress.line('Stopping at once …');
    run()?.killNow();
  });
  void stop.wanted.then((why) => {
    progress.line();
    progress.line(`Stopping (${why}); once more to stop at once …`);
  });
  return { stop, killNow: () => undefined, exitCode: 0 };
}

async function bringUp(run: Run): Promise<void> {
  const { options, progress, stop } = run;
  const logs = join(options.dataDir, 'logs');
  await mkdir(logs, { recursive: true });
  const hostToBind = options.host ?? '0.0.0.0';
  await checkPort(options.port, hostToBind);
  const secrets = await loadSecrets(options.dataDir);
  const servers = await startServers({ ...run, logs, redisPassword: secrets.redisPassword });
  const supervisor = startProcesses(run, servers, secrets.jwtSecret);

  const url = urlOf(options.host, options.port);
  const tail = (part: string) => supervisor.tail(part);
  const waiting = { client: createClient({ url, timeoutMs: 5_000 }), tail, signal: stop.signal };
  await progress.step(
    'API',
    (note) => awaitApi(waiting, note),
    () => url,
  );
  const admin = await signIn(run, url);
  const client = admin.kind === 'unknown' ? waiting.client : admin.client;
  // Without a token the list may be closed to us; then the task below is not run either.
  if (admin.kind !== 'unknown') {
    const ready = await progress.step(
      'Worker',
      (note) => awaitWorker({ ...waiting, client }, note),
      (ids) => ids.join(', '),
    );
    if (ready.length > 0) await sayHello(run, admin, servers.image);
  }
  const dashboard = existsSync(join(dist, 'web/index.html'));
  const { dataDir } = options;
  const image = servers.image ?? 'busybox:latest';
  for (const line of summaryLines({ url, dataDir, admin, image, cwd: process.cwd(), dashboard })) {
    progress.line(line);
  }
  if (options.once) return;
  progress.line('Running. Ctrl-C stops it.');
  const unwatch =
    admin.kind === 'unknown'
      ? () => undefined
      : watchWorkers({ client, say: (line) => progress.line(`${clock()} ${line}`) });
  await stop.wanted;
  unwatch();
}

function startProcesses(run: Run, servers: LocalServers, jwtSecret: string): Supervisor {
  const { options, progress, owned, stop } = run;
  if (stop.isWanted) throw stopped();
  const dead = new Set<string>();
  const report = (event: SupervisorEvent) => {
    // The first start of each is not worth a line.
    if (event.kind !== 'started' || dead.delete(event.name)) progress.line(eventLine(event));
    if (event.kind === 'died') dead.add(event.name);
    if (event.kind === 'wrong_settings') {
      run.exitCode = EXIT_BAD_CONFIG;
      stop.ask(`${event.name} refuses its settings`);
    }
  };
  const parts = localProcesses({
    ...servers,
    dist,
    dataDir: options.dataDir,
    env: process.env,
    port: options.port,
    runtime: options.runtime,
    jwtSecret,
  });
  const supervisor = new Supervisor({ parts, report });
  run.killNow = () => supervisor.killNow();
  owned.add('CloudAI', () => supervisor.stop());
  return supervisor;
}

function eventLine(event: SupervisorEvent): string {
  if (event.kind === 'started') return `  ${clock()} ${event.name} runs again (process ${event.pid})`;
  // Log lines are JSON; what a process says to a person is not.
  const said = event.output.filter((line) => line.trim() !== '' && !line.startsWith('{'));
  if (event.kind === 'wrong_settings') return `✗ ${said.slice(-12).join('\n')}`;
  const { name, how, restartInMs, logFile } = event;
  const last = said.at(-1);
  return (
    `! ${clock()} ${name} ended (${how}); it starts again in ${restartInMs / 1_000} s. Log: ${logFile}` +
    (last === undefined ? '' : `\n    ${last.slice(0, 400)}`)
  );
}

async function signIn({ options, progress }: Run, url: string): Promise<Admin> {
  const { dataDir } = options;
  return progress.step(
    'Account',
    () =>
      ensureAdmin({
        url,
        dataDir,
        onPassword: (password) => progress.line(`  ${ADMIN} / ${password}  (shown only now)`),
      }),
    ({ kind }) => (kind === 'unknown' ? 'not known here' : kind === 'created' ? `${ADMIN} made` : ADMIN),
  );
}

async function sayHello(run: Run, admin: Exclude<Admin, { kind: 'unknown' }>, image: string | null) {
  const { options, progress, stop } = run;
  if (image === null) {
    progress.warn('no image is present, so no first task is run; any image your Docker can pull will do');
    return;
  }
  const onLine = (line: string) => progress.line(`  │ ${line}`);
  try {
    await progress.step(
      'First task',
      () => runHelloTask({ client: admin.client, image, signal: stop.signal, onLine }),
      ({ task, tookMs }) => `${task.task_id} completed in ${(tookMs / 1_000).toFixed(2)} s`,
    );
  } catch (error) {
    // The cluster is up all the same, and the place to find out why.
    if (options.once || stop.isWanted) throw error;
  }
}

function urlOf(host: string | null, port: number): string {
  const everywhere = host === null || host === '0.0.0.0' || host === '::';
  return `http://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

function clock(): string {
  return new Date().toTimeString().slice(0, 8);
}

const code = await main().catch((error: unknown) => {
  process.stderr.write(`${error instanceof AppError ? error.message : messageOf(error)}\n`);
  return EXIT_FAULT;
});
process.exit(code);
