// Puts the API together from its parts: services first, then one plugin per resource. Opens nothing itself; the
// parts are opened and closed by whoever made them.

import { setMaxListeners } from 'node:events';
import Hapi, { type Server } from '@hapi/hapi';
import { readTlsFiles } from '../shared/platform/tls-files.ts';
import { readVersion } from '../shared/platform/version.ts';
import { GrpcServer } from './grpc/grpc-server.ts';
import { keepCertificates } from './http/certificates.ts';
import { CORS_HEADERS } from './http/cors-headers.ts';
import { createListener, listenerBounds, openFilesLimit, renew } from './http/listener.ts';
import { Live, type LiveLoad } from './live/live.ts';
import { accountsPlugin } from './plugins/accounts.ts';
import { auditPlugin } from './plugins/audit.ts';
import { authPlugin } from './plugins/auth.ts';
import { backupsPlugin } from './plugins/backups.ts';
import { dashboardPlugin } from './plugins/dashboard.ts';
import { decisionsPlugin } from './plugins/decisions.ts';
import { documentationPlugin } from './plugins/documentation.ts';
import { filesPlugin } from './plugins/files.ts';
import { healthPlugin } from './plugins/health.ts';
import { historyPlugin } from './plugins/history.ts';
import { imagesPlugin } from './plugins/images.ts';
import { logsPlugin } from './plugins/logs.ts';
import { metricsPlugin } from './plugins/metrics.ts';
import { queuePlugin } from './plugins/queue.ts';
import { queueBoardPlugin } from './plugins/queue-board.ts';
import { rateLimitsPlugin } from './plugins/rate-limits.ts';
import { requestsPlugin } from './plugins/requests.ts';
import { taskFilesPlugin } from './plugins/task-files.ts';
import { taskUsagePlugin } from './plugins/task-usage.ts';
import { tasksPlugin } from './plugins/tasks.ts';
import { tracingPlugin } from './plugins/tracing.ts';
import { uploadsPlugin } from './plugins/uploads.ts';
import { usersPlugin } from './plugins/users.ts';
import { webhooksPlugin } from './plugins/webhooks.ts';
import { whatIfPlugin } from './plugins/what-if.ts';
import { workersPlugin } from './plugins/workers.ts';
import { answerWithin } from './services/deadline.ts';
import { Readiness } from './services/readiness.ts';
import { type ApiParts, createServices } from './services.ts';

export interface Api {
  /** For `inject` in tests and for what listens on the same port. */
  readonly server: Server;
  /** Where gRPC listens; null before `start`, and where it is off. */
  readonly grpcPort: number | null;
  /** All that can be called over gRPC, as `cloudai.v1.CloudAI/GetTask`; none where it is off. */
  readonly grpcMethods: readonly string[];
  /** Watches that are open over gRPC now. */
  readonly grpcWatches: number;
  /** What is open over sockets now. */
  readonly liveLoad: LiveLoad;
  /** Listens, and says where. */
  start(): Promise<string>;
  /** Ends sockets and open readings, lets requests finish for a few seconds, then cuts them. */
  stop(): Promise<void>;
}

/** Bodies other than submissions are small. */
const BODY_MAX_BYTES = 64 * 1_024;
const BODY_DEADLINE_MS = 20_000;
/** No handler should take so long; whoever waits longer has given up. */
const ANSWER_DEADLINE_MS = 30_000;
const STOP_DEADLINE_MS = 5_000;
/** A page that came over TLS once is never asked for without it again. */
const HSTS_SECONDS = 31_536_000;
/** So long a browser need not ask again what a page of another origin may do. */
const CORS_SECONDS = 600;

/** Plugins are registered; nothing listens before `start`. */
export async function createApi(parts: ApiParts): Promise<Api> {
  const { config, store, log, peerIdleMs } = parts;
  const bounds = { ...listenerBounds(openFilesLimit()), ...parts.listenerBounds };
  const tls = config.tls === null ? null : readTlsFiles(config.tls);
  const listener = createListener(bounds, tls);
  const server = Hapi.server({
    listener,
    tls: tls !== null,
    host: config.host,
    port: config.port,
    debug: false,
    router: { stripTrailingSlash: true },
    // Output is followed line by line, and compression would hold lines back.
    mime: { override: { 'text/plain': { compressible: false } } },
    routes: {
      payload: {
        allow: 'application/json',
        maxBytes: BODY_MAX_BYTES,
        timeout: BODY_DEADLINE_MS,
        // Without this hapi would fill in its own text before the one shape of errors is made.
        failAction: (_request, _h, error) => {
          throw error;
        },
      },
      timeout: { server: ANSWER_DEADLINE_MS },
      // No cookies are used but one, at its own path, so broken ones of others are none of our business.
      state: { parse: false, failAction: 'ignore' },
      security: {
        hsts: tls === null ? false : { maxAge: HSTS_SECONDS },
        xframe: 'deny',
        xss: 'disabled',
        noOpen: true,
        noSniff: true,
        referrer: 'no-referrer',
      },
      cors:
        config.corsOrigins.length === 0
          ? false
          : {
              origin: [...config.corsOrigins],
              additionalHeaders: [...CORS_HEADERS.sent],
              additionalExposedHeaders: [...CORS_HEADERS.read],
              maxAge: CORS_SECONDS,
            },
    },
  });

  const stopping = new AbortController();
  // Every open reading listens; how many there may be is bounded elsewhere.
  setMaxListeners(0, stopping.signal);
  const services = createServices(parts);
  const {
    announcer,
    tails,
    watch,
    webhookEngine,
    registrations,
    resumableUploads,
    uploadSweep,
    learner,
    forecastScores,
    retention,
    trail,
    auditPages,
  } = services;
  const readiness = new Readiness({ store: () => store.ping(), queue: () => parts.pingQueue() }, log);
  await server.register([
    {
      plugin: requestsPlugin,
      options: { log, proxies: services.proxies, hsts: `max-age=${HSTS_SECONDS}` },
    },
    { plugin: tracingPlugin, options: { tracer: services.tracer, clock: parts.clock } },
    { plugin: rateLimitsPlugin, options: services },
    { plugin: authPlugin, options: services },
    { plugin: accountsPlugin, options: services },
    { plugin: usersPlugin, options: services },
    { plugin: auditPlugin, options: { ...services, clock: parts.clock } },
    { plugin: backupsPlugin, options: services },
    { plugin: tasksPlugin, options: { ...services, retentionMs: config.retentionMs } },
    { plugin: queuePlugin, options: services },
    { plugin: whatIfPlugin, options: services },
    { plugin: decisionsPlugin, options: { ...services, log } },
    { plugin: logsPlugin, options: { ...services, stopping: stopping.signal, log, peerIdleMs } },
    { plugin: taskUsagePlugin, options: services },
    { plugin: webhooksPlugin, options: services },
    { plugin: taskFilesPlugin, options: services },
    { plugin: filesPlugin, options: { ...services, maxBytes: config.fileMaxBytes, peerIdleMs } },
    {
      plugin: uploadsPlugin,
      options: {
        ...services,
        maxBytes: config.fileMaxBytes,
        peerIdleMs,
        stopping: stopping.signal,
        clock: parts.clock,
      },
    },
    { plugin: imagesPlugin, options: services },
    { plugin: workersPlugin, options: { ...services, observeAuth: config.observeAuth } },
    { plugin: metricsPlugin, options: { ...services, observeAuth: config.observeAuth } },
    { plugin: historyPlugin, options: { ...services, observeAuth: config.observeAuth } },
    { plugin: healthPlugin, options: { readiness } },
    { plugin: queueBoardPlugin, options: { ...services, queueViews: parts.queueViews } },
    { plugin: documentationPlugin, options: { release: readVersion() } },
    { plugin: dashboardPlugin, options: { webDir: config.webDir } },
  ]);
  const live = new Live(
    {
      ...parts,
      ...services,
      tasks: store.tasks,
      observeAuth: config.observeAuth,
      corsOrigins: config.corsOrigins,
    },
    server.listener,
  );
  const grpc =
    config.grpcPort === null
      ? null
      : new GrpcServer({
          ...services,
          ticker: live.ticker,
          readiness,
          retentionMs: config.retentionMs,
          observeAuth: config.observeAuth,
          host: config.host,
          port: config.grpcPort,
          tls,
          bounds,
          peerIdleMs,
          arrivalMs: parts.arrivalMs,
          stopping: stopping.signal,
          clock: parts.clock,
          log,
        });
  services.metrics.liveLoad = () => live.load;
  services.metrics.grpcWatches = () => grpc?.watches ?? 0;
  const certificates =
    config.tls === null || tls === null
      ? null
      : keepCertificates({
          files: config.tls,
          now: tls,
          use: (texts) => {
            renew(listener, texts);
            grpc?.renew(texts);
          },
          log,
        });
  await server.initialize();
  await watch.start();
  await live.start();
  webhookEngine.start();
  registrations.start();
  uploadSweep.start();
  learner.start();
  forecastScores.start();
  retention.start();
  auditPages.start();

  let grpcPort: number | null = null;
  return {
    server,
    get liveLoad() {
      return live.load;
    },
    get grpcPort() {
      return grpcPort;
    },
    grpcMethods: grpc?.methods ?? [],
    get grpcWatches() {
      return grpc?.watches ?? 0;
    },
    start: async () => {
      grpcPort = (await grpc?.start()) ?? null;
      await server.start();
      return server.info.uri;
    },
    stop: async () => {
      stopping.abort();
      const callsEnded = grpc?.stop();
      certificates?.stop();
      await live.stop();
      const webhooksStopped = answerWithin(webhookEngine.stop(), STOP_DEADLINE_MS, 'the store').catch(
        (error) => log.warn({ err: error }, 'stopped before webhooks had come to rest'),
      );
      // What is under way is given up at once, so this takes as long as the store does.
      const callsStopped = answerWithin(registrations.stop(), STOP_DEADLINE_MS, 'the store').catch((error) =>
        log.warn({ err: error }, 'stopped while workers were being called'),
      );
      const learnerStopped = answerWithin(learner.stop(), STOP_DEADLINE_MS, 'the store').catch((error) =>
        log.warn({ err: error }, 'stopped while ended tasks were being read'),
      );
      const scoresStopped = answerWithin(forecastScores.stop(), STOP_DEADLINE_MS, 'the store').catch(
        (error) => log.warn({ err: error }, 'stopped while forecasts were being scored'),
      );
      const retentionStopped = answerWithin(retention.stop(), STOP_DEADLINE_MS, 'the store').catch((error) =>
        log.warn({ err: error }, 'stopped while old tasks were being purged'),
      );
      const auditStopped = answerWithin(auditPages.stop(), STOP_DEADLINE_MS, 'the store').catch((error) =>
        log.warn({ err: error }, 'stopped while old entries of the audit log were being dropped'),
      );
      const uploadsSettled = Promise.all([resumableUploads.settle(), uploadSweep.stop()]);
      await server.stop({ timeout: STOP_DEADLINE_MS });
      await callsEnded;
      await callsStopped;
      await learnerStopped;
      await scoresStopped;
      await retentionStopped;
      await auditStopped;
      await webhooksStopped;
      await answerWithin(uploadsSettled, STOP_DEADLINE_MS, 'the file store').catch((error) =>
        log.warn({ err: error }, 'stopped before all that had come of uploads was kept'),
      );
      await answerWithin(announcer.settle(), STOP_DEADLINE_MS, 'the queue').catch((error) =>
        log.warn({ err: error }, 'stopped before all new tasks were announced'),
      );
      await trail.stop();
      tails.close();
      await watch.stop();
    },
  };
}
