// The way of people into a cluster: everything through one address, as curl, browsers and programs go it.

import { setTimeout as delay } from 'node:timers/promises';
import { WebSocket } from 'ws';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { ask } from '../support/cluster.ts';
import { TEST_IMAGE } from '../support/servers.ts';
import { waitFor } from '../support/wait-for.ts';

export const DEADLINE_MS = 120_000;
const CALL_DEADLINE_MS = 60_000;
const SOCKET_DEADLINE_MS = 30_000;
const PAUSE_MS = 50;

export class Door {
  readonly url: string;
  token = '';

  constructor(url: string) {
    this.url = url;
  }

  async call<T>(method: string, path: string, body?: unknown): Promise<T> {
    const asking = { token: this.token, deadlineMs: CALL_DEADLINE_MS };
    return (await ask<T>(this.url, asking, method, path, body)).body;
  }

  async ready(): Promise<void> {
    const isReady = async () => (await fetch(`${this.url}/readyz`)).status === 200;
    await waitFor(isReady, { what: '/readyz', deadlineMs: DEADLINE_MS, everyMs: 200 });
  }

  async signIn(): Promise<void> {
    const person = { username: 'alice', password: 'secure123' };
    await this.call('POST', '/api/auth/register', person);
    this.token = (await this.call<{ token: string }>('POST', '/api/auth/login', person)).token;
  }

  async submit(command: string): Promise<string> {
    const task = { docker_image: TEST_IMAGE, cpu_required: 0.2, memory_required: 32, command };
    return (await this.call<TaskBody>('POST', '/api/tasks', task)).task_id;
  }

  ended(id: string): Promise<TaskBody> {
    return waitFor(
      async () => {
        const now = await this.call<TaskBody>('GET', `/api/tasks/${id}`);
        return ['completed', 'failed', 'cancelled'].includes(now.status) ? now : null;
      },
      { what: `${id} to end`, deadlineMs: 2 * DEADLINE_MS, everyMs: 100 },
    );
  }

  output(id: string): Promise<string> {
    return this.call<string>('GET', `/api/tasks/${id}/logs`);
  }

  /** Looks at `/ws/telemetry`, until there were so many. */
  telemetry(wanted: number): Promise<number> {
    return new Promise((done, fail) => {
      const socket = new WebSocket(`${this.url.replace('http', 'ws')}/ws/telemetry`);
      const timer = setTimeout(() => socket.terminate(), SOCKET_DEADLINE_MS);
      let seen = 0;
      socket.on('message', (text) => {
        if (!String(text).includes('"workers"')) fail(new Error(`no telemetry: ${text}`));
        seen += 1;
        if (seen === wanted) socket.close();
      });
      socket.on('error', fail);
      socket.on('close', () => {
        clearTimeout(timer);
        done(seen);
      });
    });
  }

  /** Three requests of one session, as a browser without WebSockets makes them; whether one API answered all. */
  async pollsByCookie(): Promise<boolean> {
    const at = `${this.url}/socket.io/?EIO=4&transport=polling`;
    const opened = await fetch(at);
    const cookie = opened.headers.get('set-cookie')?.split(';')[0] ?? '';
    const { sid } = JSON.parse((await opened.text()).slice(1)) as { sid: string };
    const headers = { cookie, 'content-type': 'text/plain;charset=UTF-8' };
    const body = `40${JSON.stringify({ token: this.token })}`;
    const sent = await fetch(`${at}&sid=${sid}`, { method: 'POST', headers, body });
    const answer = await (await fetch(`${at}&sid=${sid}`, { headers })).text();
    return /^cloudai=api-[12]$/.test(cookie) && sent.status === 200 && answer.startsWith('40');
  }

  /** Whether it leads a caller without a cookie to this API now. */
  async leadsTo(api: string): Promise<boolean> {
    const reply = await fetch(`${this.url}/healthz`);
    return (reply.headers.get('set-cookie') ?? '').includes(`cloudai=${api}`);
  }

  /** Calls, one after the other, until it is told to end. */
  watch(): { end(): Promise<{ asked: number; failed: number }> } {
    const seen = { asked: 0, failed: 0 };
    let open = true;
    const going = (async () => {
      while (open) {
        const answered = await fetch(`${this.url}/healthz`, { signal: AbortSignal.timeout(10_000) })
          .then((reply) => reply.status === 200)
          .catch(() => false);
        seen.asked += 1;
        if (!answered) seen.failed += 1;
        await delay(PAUSE_MS);
      }
    })();
    return {
      end: async () => {
        open = false;
        await going;
        return seen;
      },
    };
  }
}
