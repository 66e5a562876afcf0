// Where a waiting runner can be reached: the two calls of an adoption over HTTP, for a short while and for small
// bodies. All that is decided is decided by the desk.

import { createServer as createListener } from 'node:http';
import Hapi, { type Request, type ResponseToolkit, type Server } from '@hapi/hapi';
import type {
  AdoptionRefusal,
  AdoptionRefusalCode,
  ClusterSettings,
} from '../../shared/contracts/adoption.ts';
import { ADOPTION_BODY_MAX_BYTES } from '../../shared/contracts/adoption-schemas.ts';
import { AppError, messageOf } from '../../shared/errors.ts';
import type { ListenAddress } from '../../shared/platform/config/waiting-runner.ts';
import type { Log } from '../../shared/platform/log.ts';
import { AdoptionDesk, type Answer, type DeskParts } from './desk.ts';

export interface WaitingParts extends DeskParts {
  readonly listen: ListenAddress;
}

export interface Waiting {
  readonly port: number;
  /** Resolves once the other side has been told that its settings are taken. */
  readonly adopted: Promise<ClusterSettings>;
  /** Listens no more; within seconds. */
  stop(): Promise<void>;
}

const STATUS: Record<AdoptionRefusalCode, number> = {
  invalid_request: 400,
  version: 400,
  token: 403,
  expired: 410,
  worker_id: 409,
  settings: 422,
  adopted: 409,
};

const BODY_DEADLINE_MS = 5_000;
/** Trying a store and a Redis that do not answer takes most of it. */
const ANSWER_DEADLINE_MS = 15_000;
const STOP_DEADLINE_MS = 2_000;
const MOST_CONNECTIONS = 256;

const WELCOME = 'A CloudAI runner that waits for its cluster: an admin adds it with "cloudai register".\n';

/** @throws AppError `bad_config` when it cannot listen there */
export async function startWaiting(parts: WaitingParts): Promise<Waiting> {
  const { listen, log } = parts;
  const desk = new AdoptionDesk(parts);
  const server = createServer(listen);
  let accept: (settings: ClusterSettings) => void = () => undefined;
  const adopted = new Promise<ClusterSettings>((done) => {
    accept = done;
  });
  server.route([
    { method: 'GET', path: '/', handler: (_request, h) => h.response(WELCOME).type('text/plain') },
    {
      method: 'POST',
      path: '/adoption/hello',
      handler: (request, h) => answer(h, desk.hello(request.payload, callerOf(request))),
    },
    {
      method: 'POST',
      path: '/adoption/settings',
      handler: async (request, h) => {
        const given = await desk.settings(request.payload, callerOf(request));
        const { adopted: settings } = desk;
        if (given.ok && settings) {
          const { res } = request.raw;
          // Sent, or the other side has gone; it sees the worker come in either case.
          if (res.closed) accept(settings);
          else res.once('close', () => accept(settings));
        }
        return answer(h, given);
      },
    },
  ]);
  speakOfRefusals(server, log);
  await server.start().catch((cause) => {
    throw new AppError('bad_config', `RUNNER_LISTEN cannot be used: ${messageOf(cause)}`, { cause });
  });
  return {
    port: Number(server.info.port),
    adopted,
    stop: () => server.stop({ timeout: STOP_DEADLINE_MS }),
  };
}

function createServer({ host, port }: ListenAddress): Server {
  const listener = createListener({
    headersTimeout: BODY_DEADLINE_MS,
    requestTimeout: 2 * BODY_DEADLINE_MS,
    connectionsCheckingInterval: 1_000,
  });
  listener.maxConnections = MOST_CONNECTIONS;
  return Hapi.server({
    listener,
    host,
    port,
    debug: false,
    routes: {
      payload: {
        allow: 'application/json',
        maxBytes: ADOPTION_BODY_MAX_BYTES,
        timeout: BODY_DEADLINE_MS,
        failAction: (_request, _h, error) => {
          throw error;
        },
      },
      timeout: { server: ANSWER_DEADLINE_MS },
      state: { parse: false, failAction: 'ignore' },
    },
  });
}

function callerOf(request: Request): string {
  return request.info.remoteAddress;
}

function answer<T extends object>(h: ResponseToolkit, given: Answer<T>) {
  return given.ok ? h.response(given.reply) : h.response(given.refusal).code(STATUS[given.refusal.code]);
}

/** What never came to the desk: no JSON, too large, no such path, a fault of ours. */
function speakOfRefusals(server: Server, log: Log): void {
  server.ext('onPreResponse', ({ response, path }, h) => {
    if (!(response instanceof Error)) return h.continue;
    const { statusCode } = response.output;
    const isOurs = statusCode >= 500;
    if (isOurs) log.error({ err: response, path }, 'an adoption failed');
    const message = isOurs ? 'the runner failed at this; its log says how' : response.message;
    const refusal: AdoptionRefusal = { code: isOurs ? 'settings' : 'invalid_request', message };
    return h.response(refusal).code(statusCode);
  });
}
