// The connection to one Docker engine: where it is, and a deadline on every call. Must never leave a socket behind.

import { readFileSync } from 'node:fs';
import { Agent } from 'node:http';
import { Agent as TlsAgent } from 'node:https';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { inspect } from 'node:util';
import Docker from 'dockerode';
import { AppError } from '../../errors.ts';
import { toAppError } from './errors.ts';

/** For calls that only look. A busy engine answers them late, but it answers. */
export const LOOK_TIMEOUT_MS = 30_000;
/** For the question whether it is there. */
export const HEALTH_TIMEOUT_MS = 10_000;
/** For calls that make the engine work: create, start, remove. */
export const WORK_TIMEOUT_MS = 120_000;

export interface Connection {
  readonly docker: Docker;
  /**
   * Makes a call with a deadline. Throws only AppError; `judge` may give faults a closer meaning.
   * @param doing completes "cannot …"
   */
  ask<T>(
    doing: string,
    timeoutMs: number,
    call: (abortSignal: AbortSignal) => Promise<T>,
    judge?: (error: unknown) => AppError,
  ): Promise<T>;
  /**
   * A POST whose answer's end matters: unlike the client's own calls, this one notices when the connection breaks
   * in the middle of the answer.
   */
  postAndRead(path: string, abortSignal: AbortSignal): Promise<string>;
  /** Asks for nothing on a connection of its own: one that shuts down still answers on those that are there. */
  knock(abortSignal: AbortSignal): Promise<void>;
  /** The engine is on this machine: reached through a socket in the file system. */
  readonly isLocal: boolean;
  readonly closed: boolean;
  /** Ends every connection; calls from then on throw `runtime_unavailable`. */
  close(): void;
}

export function openConnection(dockerHost: string): Connection {
  const { options, tls } = readDockerHost(dockerHost === '' ? (process.env.DOCKER_HOST ?? '') : dockerHost);
  // Connections are kept between calls: a new one costs as much as the shortest of them.
  const agent = tls ? new TlsAgent({ keepAlive: true }) : new Agent({ keepAlive: true });
  // The client renders the options of every request for a debug log, wanted or not; with all the sockets of an agent
  // in them that costs more than the request.
  Object.assign(agent, { [inspect.custom]: () => 'Agent' });
  keepFaultsFromEscaping(agent);
  const docker = new Docker({ ...options, agent } as Docker.DockerOptions);
  let closed = false;
  return {
    docker,
    isLocal: options.host === undefined,
    get closed() {
      return closed;
    },
    async ask(doing, timeoutMs, call, judge = (error) => toAppError(error, doing)) {
      if (closed)
        throw new AppError('runtime_unavailable', `cannot ${doing}: the connection was closed`, {
          retryable: true,
        });
      const deadline = new AbortController();
      // Not every call of the client heeds the signal, so the deadline also ends the waiting itself.
      let timer: NodeJS.Timeout | undefined;
      const late = new Promise<never>((_, fail) => {
        timer = setTimeout(() => {
          const error = new DOMException(`no answer in ${timeoutMs} ms`, 'TimeoutError');
          fail(error);
          deadline.abort(error);
        }, timeoutMs);
      });
      try {
        return await Promise.race([call(deadline.signal), late]);
      } catch (error) {
        throw judge(error);
      } finally {
        clearTimeout(timer);
      }
    },
    async postAndRead(path, abortSignal) {
      const request = { path, method: 'POST', isStream: true, abortSignal, statusCodes: { 200: true } };
      const answer = await new Promise<Readable>((done, fail) =>
        docker.modem.dial(request as never, (error: unknown, found: unknown) =>
          error ? fail(error) : done(found as Readable),
        ),
      );
      let text = '';
      for await (const chunk of answer) text += chunk;
      return text;
    },
    async knock(abortSignal) {
      const once = tls ? new TlsAgent() : new Agent();
      keepFaultsFromEscaping(once);
      const end = () => once.destroy();
      abortSignal.addEventListener('abort', end, { once: true });
      try {
        await new Docker({ ...options, agent: once } as Docker.DockerOptions).ping();
      } finally {
        abortSignal.removeEventListener('abort', end);
        end();
      }
    },
    close() {
      closed = true;
      agent.destroy();
    },
  };
}

/**
 * A socket on its way from one request to the next has nobody who listens for its faults, and a request that is
 * given up in that moment would bring the process down. Each request still hears of its own faults.
 */
function keepFaultsFromEscaping(agent: Agent): void {
  const connect = agent.createConnection.bind(agent);
  agent.createConnection = (...args: Parameters<typeof connect>) => {
    const socket = connect(...args);
    socket?.on('error', () => undefined);
    return socket;
  };
}

interface Target {
  readonly options: Readonly<Record<string, unknown>>;
  readonly tls: boolean;
}

/**
 * Reads `unix://path`, `tcp://host:port`, `http(s)://host:port` or `ssh://user@host:port`; empty means the local
 * engine. As with Docker's own client, DOCKER_TLS_VERIFY and DOCKER_CERT_PATH say how to trust a TCP engine.
 */
export function readDockerHost(
  dockerHost: string,
  env: Readonly<Record<string, string | undefined>> = process.env,
): Target {
  // Every key is set: the client fills what is missing from the environment by rules of its own.
  const none = { host: undefined, port: undefined, username: undefined, pathPrefix: '/' };
  if (dockerHost === '') return { options: { protocol: 'http' }, tls: false };
  if (dockerHost.startsWith('unix://')) {
    const socketPath = dockerHost.slice('unix://'.length) || '/var/run/docker.sock';
    return { options: { ...none, protocol: 'http', socketPath }, tls: false };
  }
  const url = parse(dockerHost);
  const host = url.hostname.replace(/^\[(.*)\]$/, '$1');
  if (url.protocol === 'ssh:') {
    const sshOptions = { agent: env.SSH_AUTH_SOCK };
    const username = url.username === '' ? env.USER : decodeURIComponent(url.username);
    return {
      options: { ...none, protocol: 'ssh', host, port: url.port || 22, username, sshOptions },
      tls: false,
    };
  }
  const tls = url.protocol === 'https:' || env.DOCKER_TLS_VERIFY === '1' || url.port === '2376';
  const port = url.port || (tls ? 2376 : 2375);
  return {
    options: { ...none, protocol: tls ? 'https' : 'http', host, port, ...(tls ? certificates(env) : {}) },
    tls,
  };
}

function parse(dockerHost: string): URL {
  try {
    const url = new URL(dockerHost);
    if (['tcp:', 'http:', 'https:', 'ssh:'].includes(url.protocol) && url.hostname !== '') return url;
  } catch {
    // Said below.
  }
  throw new AppError(
    'bad_config',
    `DOCKER_HOST "${dockerHost}" must look like unix:///path, tcp://host:port, https://host:port or ssh://user@host`,
  );
}

function certificates(env: Readonly<Record<string, string | undefined>>): Record<string, Buffer> {
  const folder = env.DOCKER_CERT_PATH;
  if (!folder) return {};
  try {
    return {
      ca: readFileSync(join(folder, 'ca.pem')),
      cert: readFileSync(join(folder, 'cert.pem')),
      key: readFileSync(join(folder, 'key.pem')),
    };
  } catch (error) {
    throw new AppError('bad_config', `DOCKER_CERT_PATH ${folder} must hold ca.pem, cert.pem and key.pem`, {
      cause: error,
    });
  }
}
