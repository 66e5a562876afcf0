// Puts the services of the API together from its parts. Starts and opens nothing; no routes here.

import { RunLearner } from '../shared/learning/run-learner.ts';
import { imageRule } from '../shared/model/image-rules.ts';
import type { ApiConfig } from '../shared/platform/config/api.ts';
import type { Log } from '../shared/platform/log.ts';
import type { Clock, ClusterClock } from '../shared/ports/clock.ts';
import type { AttemptLimiter, EventBus, WorkerPresence } from '../shared/ports/coordination.ts';
import type { DecisionLog } from '../shared/ports/decision-log.ts';
import type { FileStore } from '../shared/ports/file-store.ts';
import type { ImageBoard } from '../shared/ports/image-board.ts';
import type { LiveLogs, LiveTraces, ProgressBoard, UsageBoard } from '../shared/ports/live.ts';
import type { LogStore } from '../shared/ports/log-store.ts';
import type { IntakeQueue, QueueViews } from '../shared/ports/queue.ts';
import type { SchedulerBoard } from '../shared/ports/scheduler-board.ts';
import type { Store } from '../shared/ports/store.ts';
import { NO_TRACER, type Tracer } from '../shared/ports/tracing.ts';
import type { ListenerBounds } from './http/listener.ts';
import { TrustedProxies } from './http/trusted-proxies.ts';
import { OpenSessions } from './live/open-sessions.ts';
import { Accounts } from './services/accounts.ts';
import { Announcer } from './services/announcer.ts';
import { AuditPages } from './services/audit-pages.ts';
import { AuditTrail } from './services/audit-trail.ts';
import { Backups } from './services/backups/backups.ts';
import { BoardTickets } from './services/board-tickets.ts';
import { BodyRoom } from './services/body-room.ts';
import { ClusterView } from './services/cluster-view.ts';
import { DecisionPages } from './services/decision-pages.ts';
import { TaskExplanations } from './services/explanations.ts';
import { FileContents } from './services/files/file-contents.ts';
import { TaskFiles } from './services/files/task-files.ts';
import { Transfers } from './services/files/transfers.ts';
import { ResumableUploads } from './services/files/uploads/resumable-uploads.ts';
import { UploadSweep } from './services/files/uploads/upload-sweep.ts';
import { UserFiles } from './services/files/user-files.ts';
import { Holdings } from './services/holdings.ts';
import { KnownUsers } from './services/known-users.ts';
import { WorkerMaintenance } from './services/maintenance.ts';
import { ApiMetrics } from './services/metrics/api-metrics.ts';
import { LogTails } from './services/output/log-tails.ts';
import { SharedPages } from './services/output/shared-pages.ts';
import { TaskOutput } from './services/output/task-output.ts';
import { PasswordChecks } from './services/password-checks.ts';
import { PasswordHasher } from './services/passwords.ts';
import { ClusterFacts } from './services/queue/cluster-facts.ts';
import { ForecastScores } from './services/queue/forecast-scores.ts';
import { Forecasts } from './services/queue/forecasts.ts';
import { WaitingLine } from './services/queue/waiting-line.ts';
import { Quotas } from './services/quotas.ts';
import { type RegistrationPace, Registrations } from './services/registrations/registrations.ts';
import { RequestLimits, type RequestLimitsParts } from './services/request-limits.ts';
import { RequestTurns, turnsOf } from './services/request-turns.ts';
import { Retention } from './services/retention.ts';
import { SchedulerNews } from './services/scheduler-news.ts';
import { Sessions } from './services/sessions.ts';
import { SigningKeys } from './services/signing-keys.ts';
import { Simulations } from './services/simulation.ts';
import { Submissions } from './services/submission.ts';
import { TaskFollowing } from './services/task-following.ts';
import { TaskRecords } from './services/task-records.ts';
import { TaskUsage } from './services/task-usage.ts';
import { TaskWatch } from './services/task-watch.ts';
import { TelemetryHistory } from './services/telemetry-history.ts';
import { UserChanges } from './services/user-changes.ts';
import { UserDirectory } from './services/user-directory.ts';
import { WebhookEngine, type WebhookPace } from './services/webhooks/engine.ts';
import { WorkerImageLists } from './services/worker-images.ts';

export interface ApiParts {
  readonly config: ApiConfig;
  readonly store: Store;
  readonly intake: IntakeQueue;
  readonly queueViews: QueueViews;
  readonly presence: WorkerPresence;
  readonly bus: EventBus;
  readonly logs: LogStore;
  readonly liveLogs: LiveLogs;
  readonly files: FileStore;
  readonly progress: ProgressBoard;
  readonly usage: UsageBoard;
  readonly traces: LiveTraces;
  readonly images: ImageBoard;
  readonly schedulerBoard: SchedulerBoard;
  readonly decisions: DecisionLog;
  /** For `io.adapter`. */
  readonly socketAdapter: unknown;
  readonly loginLimiter: AttemptLimiter;
  readonly rateLimiter: RequestLimitsParts['rateLimiter'];
  /** Rejects when the queue cannot be reached. */
  readonly pingQueue: () => Promise<void>;
  readonly clock: Clock & Partial<Pick<ClusterClock, 'offsetMs'>>;
  readonly log: Log;
  /** Absent: nobody traces. */
  readonly tracer?: Tracer;
  /** Tests have less patience. */
  readonly hasher?: PasswordHasher;
  readonly webhookPace?: Partial<WebhookPace>;
  readonly registrationPace?: Partial<RegistrationPace>;
  readonly listenerBounds?: Partial<ListenerBounds>;
  readonly peerIdleMs?: number;
  readonly arrivalMs?: number;
  readonly maxTelemetrySockets?: number;
  readonly learnEveryMs?: number;
  readonly scoreEveryMs?: number;
  readonly purgeEveryMs?: number;
}

/** Nothing of them is started. */
export function createServices(parts: ApiParts) {
  const { config, store, intake, presence, bus, logs, clock, log, tracer = NO_TRACER } = parts;
  const announcer = new Announcer({ intake, bus, log });
  const trail = new AuditTrail({ store: store.audit, clock, log });
  const auditPages = new AuditPages({
    store,
    trail,
    keptMs: config.auditKeptMs,
    clock,
    log,
    everyMs: parts.purgeEveryMs,
  });
  const people = createPeopleServices(parts, announcer);
  const { known } = people;
  const { rateLimits } = config;
  const { rateLimiter } = parts;
  const requestLimits = new RequestLimits({ rateLimits, rateLimiter, known, clock, log });
  const quotas = new Quotas({ known, files: store.files, uploads: store.uploads, clock });
  const watch = new TaskWatch(bus, log);
  const records = new TaskRecords({ store, announcer, clock });
  const imageAllowed = imageRule(config.imageAllow);
  const pages = new SharedPages(logs);
  const tails = new LogTails({
    pages,
    logs,
    liveLogs: parts.liveLogs,
    tasks: store.tasks,
    watch,
    clock,
    log,
  });
  const output = new TaskOutput({ records, logs, tails, pages, clock });
  const following = new TaskFollowing({ records, output, watch, clock });
  const metrics = new ApiMetrics({ snapshot: () => view.snapshot(), clock, log });
  const webhookEngine = new WebhookEngine({
    store,
    allow: config.webhookAllow,
    onTaskChanged: (hear) => watch.onEvery(hear),
    clock,
    log,
    pace: parts.webhookPace,
    onTried: (outcome, tookMs) => metrics.webhookTried(outcome, tookMs),
  });
  const { webhooks } = webhookEngine;
  const webhookFault = (url: string) => webhooks.faultOf(url);
  const submissions = new Submissions({
    store,
    records,
    announcer,
    quotas,
    imageAllowed,
    webhookFault,
    maxLosses: config.maxLosses,
    tracer,
    clock,
  });
  const files = createFileServices(parts, records, quotas);
  const learner = new RunLearner({
    tasks: store.tasks,
    generation: () => store.generation(),
    defaultRunMs: config.defaultRunSeconds * 1_000,
    clock,
    log,
    everyMs: parts.learnEveryMs,
  });
  const facts = new ClusterFacts({ store, schedulerBoard: parts.schedulerBoard, presence, log });
  const forecasts = new Forecasts({ store, facts, learner, clock });
  const forecastScores = new ForecastScores({
    forecasts,
    tasks: store.tasks,
    onTaskChanged: (hear) => watch.onEvery(hear),
    clock,
    log,
    everyMs: parts.scoreEveryMs,
  });
  const scores = () => forecastScores.read();
  const waitingLine = new WaitingLine({ store, forecasts, scores });
  const attainment = () => learner.attainment();
  const news = new SchedulerNews({ board: parts.schedulerBoard, clock, log });
  const { retentionMs } = config;
  const view: ClusterView = new ClusterView({
    store,
    presence,
    news,
    attainment,
    scores,
    retentionMs,
    clock,
    log,
  });
  const backups = new Backups({ store, bus, forget: () => view.forget(), clock, log });
  const history = new TelemetryHistory({ store, clock });
  const workerImages = new WorkerImageLists({ board: parts.images, view, clock });
  const maintenance = new WorkerMaintenance({ store, view, announcer, clock });
  const pace = parts.registrationPace;
  const registrations = new Registrations({ config, store, view, clock, log, pace });
  const explanations = new TaskExplanations({ records, store, facts, forecasts, clock });
  const decisionPages = new DecisionPages(parts.decisions);
  const taskUsage = new TaskUsage({ records, board: parts.usage });
  const retention = new Retention({
    ...parts,
    records: store.files,
    tasks: store.tasks,
    webhooks: store.webhooks,
    keptMs: retentionMs,
    everyMs: parts.purgeEveryMs,
  });
  const simulations = new Simulations({ store, facts, learner, submissions, clock });
  return {
    ...people,
    tracer,
    metrics,
    trail,
    auditPages,
    proxies: new TrustedProxies(config.trustedProxies),
    requestLimits,
    requestTurns: new RequestTurns(turnsOf(config.requestsAtOnce)),
    bodyRoom: new BodyRoom(),
    announcer,
    watch,
    records,
    submissions,
    tails,
    output,
    following,
    news,
    view,
    workerImages,
    history,
    backups,
    maintenance,
    registrations,
    explanations,
    learner,
    forecastScores,
    waitingLine,
    decisionPages,
    taskUsage,
    simulations,
    retention,
    webhookEngine,
    webhooks,
    ...files,
  };
}

/** Accounts, and what stands for them. */
function createPeopleServices(parts: ApiParts, announcer: Announcer) {
  const { config, store, loginLimiter, clock, log, hasher = new PasswordHasher() } = parts;
  const { users } = store;
  const known = new KnownUsers(users, clock);
  const changes = new UserChanges(users, known);
  const checks = new PasswordChecks(hasher, loginLimiter);
  const { tokenTtlSeconds: ttlSeconds, registration } = config;
  const keys = new SigningKeys(config.jwtKeys);
  const sessions = new Sessions({ users, known, keys, ttlSeconds, clock, log });
  const accounts = new Accounts({ users, changes, hasher, checks, sessions, registration, clock });
  const holdings = new Holdings({ tasks: store.tasks, clock });
  const directory = new UserDirectory({ store, changes, sessions, holdings, announcer, hasher, clock, log });
  const boardTickets = new BoardTickets({ users: known, sessions, keys, clock });
  const open = new OpenSessions(sessions, clock, log);
  return { known, sessions, open, accounts, directory, boardTickets };
}

function createFileServices(
  { config, store, files, clock, log }: ApiParts,
  records: TaskRecords,
  quotas: Quotas,
) {
  const transfers = new Transfers();
  const fileContents = new FileContents({ files, records: store.files, transfers, log });
  const taskFiles = new TaskFiles({ records, files: store.files, contents: fileContents, transfers });
  const kept = {
    records: store.files,
    files,
    contents: fileContents,
    transfers,
    quotas,
    maxBytes: config.fileMaxBytes,
    clock,
    log,
  };
  const userFiles = new UserFiles({ ...kept, users: store.users });
  const resumableUploads = new ResumableUploads({ ...kept, uploads: store.uploads });
  const uploadSweep = new UploadSweep({ uploads: store.uploads, resumable: resumableUploads, clock, log });
  return { fileContents, taskFiles, userFiles, resumableUploads, uploadSweep };
}
