// `npm start`: everything a CloudAI on one machine needs, then CloudAI itself, then a first task; stays in the
// foreground until Ctrl-C and stops what it started, nothing else.

import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { createClient } from '../../client/client.ts';
import { ADMIN, type Admin, ensureAdmin } from './admin-account.ts';
import { type ForegroundRun, runInForeground } from './foreground.ts';
import { runHelloTask } from './hello-task.ts';
import { type LocalServers, startServers } from './local-servers.ts';
import { checkPort } from './port-check.ts';
import { localProcesses } from './processes.ts';
import { awaitApi, awaitWorker } from './readiness.ts';
import { clusterTokenFile, loadClusterToken, loadSecrets, type Secrets } from './secrets.ts';
import { readStartOptions, type StartOptions, settledEnvironment, USAGE } from './start-options.ts';
import { summaryLines } from './summary.ts';
import { clock, supervise } from './supervise.ts';
import { watchWorkers } from './worker-watch.ts';

const dist = resolve(import.meta.dirname, '../..');

type Run = ForegroundRun<StartOptions>;

async function bringUp(run: Run): Promise<void> {
  const { options, progress, stop } = run;
  const logs = join(options.dataDir, 'logs');
  await mkdir(logs, { recursive: true });
  const hostToBind = options.host ?? '0.0.0.0';
  await checkPort(options.port, hostToBind);
  if (options.grpcPort !== null) await checkPort(options.grpcPort, hostToBind, 'GRPC_PORT');
  const secrets = await loadSecrets(options.dataDir);
  const clusterToken = options.hasClusterToken ? null : await loadClusterToken(options.dataDir);
  const servers = await startServers({ ...run, logs, redisPassword: secrets.redisPassword });
  const supervisor = startProcesses(run, servers, { ...secrets, clusterToken });

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
  const tokenFile = clusterToken === null ? null : clusterTokenFile(dataDir);
  const isShared = Boolean(options.redisUrl && options.storeUrl?.startsWith('mongodb'));
  const machines = { tokenFile, isShared };
  for (const line of summaryLines({ url, dataDir, admin, image, cwd: process.cwd(), dashboard, machines })) {
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

function startProcesses(run: Run, servers: LocalServers, secrets: Secrets & { clusterToken: string | null }) {
  const { options } = run;
  return supervise(
    run,
    localProcesses({
      ...servers,
      ...secrets,
      dist,
      dataDir: options.dataDir,
      env: settledEnvironment(process.env),
      port: options.port,
      runtime: options.runtime,
    }),
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
  return `${process.env.TLS_CERT_FILE ? 'https' : 'http'}://${everywhere ? 'localhost' : host.includes(':') ? `[${host}]` : host}:${port}`;
}

process.exit(
  await runInForeground({
    read: () => readStartOptions(process.argv.slice(2), settledEnvironment(process.env), process.cwd()),
    usage: USAGE,
    command: 'npm start',
    address: ({ port }) => `http://localhost:${port}`,
    another: 'DATA_DIR=./data2 PORT=8081 GRPC_PORT=off WORKER_ID=worker-2 npm start',
    bringUp,
  }),
);
