// GET /metrics of a process that has no other door. Open to whoever reaches the address, so that is loopback unless the
// settings say otherwise. A port that is taken costs the metrics, never the work.

import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '../platform/log.ts';

export interface MetricsDoorOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  readonly contentType: string;
  readonly render: () => Promise<string>;
  readonly log: Log;
}

export interface MetricsDoor {
  /** Null when it could not be opened. */
  readonly url: string | null;
  close(): Promise<void>;
}

export const NO_DOOR: MetricsDoor = { url: null, close: () => Promise.resolve() };

const REQUEST_MS = 10_000;
const MOST_CONNECTIONS = 32;

export async function openMetricsDoor(options: MetricsDoorOptions): Promise<MetricsDoor> {
  const { host, port, contentType, render, log } = options;
  const server = createServer(
    { requestTimeout: REQUEST_MS, headersTimeout: REQUEST_MS },
    (request, response) => {
      request.resume();
      const path = request.url?.split('?', 1)[0];
      if (path !== '/metrics' || (request.method !== 'GET' && request.method !== 'HEAD')) {
        response.writeHead(404, { 'content-type': 'text/plain' }).end('only GET /metrics is here\n');
        return;
      }
      render().then(
        (text) => response.writeHead(200, { 'content-type': contentType }).end(text),
        (error) => {
          log.warn({ err: error }, 'metrics could not be told');
          response.writeHead(500, { 'content-type': 'text/plain' }).end('metrics could not be told\n');
        },
      );
    },
  );
  server.maxConnections = MOST_CONNECTIONS;
  const isOpen = await listening(server, host, port).then(
    () => true,
    (error) => {
      log.error({ err: error, host, port }, 'metrics cannot be served; the work goes on without');
      return false;
    },
  );
  if (!isOpen) return NO_DOOR;
  server.on('error', (error) => log.warn({ err: error }, 'metrics are served no more'));
  const address = server.address() as AddressInfo;
  const url = `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}/metrics`;
  log.info({ url }, 'metrics are served');
  return {
    url,
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}

function listening(server: Server, host: string, port: number): Promise<void> {
  return new Promise((done, failed) => {
    server.once('error', failed);
    server.listen(port, host, () => {
      server.off('error', failed);
      done();
    });
  });
}
