// `npm run worker`: everything a machine needs to run tasks, then the runner itself, which waits to be added to a
// cluster or joins the one its settings name. Stays in the foreground until Ctrl-C; running tasks are left to the next
// start.

import { statSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { type ForegroundRun, runInForeground } from './foreground.ts';
import { startEngineAlone } from './local-servers.ts';
import { settledEnvironment } from './start-options.ts';
import { supervise } from './supervise.ts';
import { readWorkerOptions, WORKER_USAGE, type WorkerOptions, workerPart } from './worker-options.ts';

const dist = resolve(import.meta.dirname, '../..');

async function bringUp(run: ForegroundRun<WorkerOptions>): Promise<void> {
  const { options, progress, stop } = run;
  const logs = join(options.dataDir, 'logs');
  await mkdir(logs, { recursive: true });
  const { dockerHost } = await startEngineAlone({ ...run, logs });
  const part = workerPart(options, dist, dockerHost);
  supervise(run, [part]);
  progress.line(`✓ Runner started; its log is ${part.logFile}. Ctrl-C stops it.`);
  await stop.wanted;
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() ?? false;
}

process.exit(
  await runInForeground({
    read: () =>
      readWorkerOptions(process.argv.slice(2), settledEnvironment(process.env), {
        cwd: process.cwd(),
        isFile,
      }),
    usage: WORKER_USAGE,
    command: 'npm run worker',
    address: ({ waits }) => (waits ? 'a worker that is added by hand' : 'a worker'),
    another: 'DATA_DIR=./data/worker-2 npm run worker -- --listen 0.0.0.0:50053',
    bringUp,
  }),
);
