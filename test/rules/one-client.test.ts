// Command line and dashboard reach the API through client/ and by no other way: there a token, a deadline, a limit and the
// words of a fault are minded in one place.

import { readdirSync, readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, it } from 'vitest';
import { importsOf, listSources } from './import-table.ts';

const root = resolve(import.meta.dirname, '../..');

/** What a program can call without importing it. */
const CALLS: Readonly<Record<string, RegExp>> = {
  // As a value, too; not as the name of a property, or of something else.
  fetch: /(?<![\w$#.])fetch\b(?!\s*\??:)|\b(?:globalThis|window|self|top|parent)\s*\??\.\s*fetch\b/,
  XMLHttpRequest: /\bXMLHttpRequest\b/,
  WebSocket: /\bWebSocket(?:Stream)?\b/,
  EventSource: /\bEventSource\b/,
  WebTransport: /\bWebTransport\b/,
  sendBeacon: /\bsendBeacon\b/,
};
const MODULES =
  /^(?:node:)?(?:https?|http2|net|tls|dgram)$|^(?:undici|axios|got|ky|superagent|node-fetch|cross-fetch|ws|engine\.io-client|socket\.io-client|@grpc\/.*)(?:\/|$)/;

/** Ways out of a program other than client/. */
function waysOut(source: string): string[] {
  const code = source
    .replaceAll(/\/\*[\s\S]*?\*\//g, '')
    .replaceAll(/(^|\s)\/\/.*$/gm, '')
    .replaceAll(/'(?:[^'\\\n]|\\.)*'|"(?:[^"\\\n]|\\.)*"/g, "''");
  const calls = Object.entries(CALLS).flatMap(([name, pattern]) => (pattern.test(code) ? [name] : []));
  return [...calls, ...importsOf(source).filter((name) => MODULES.test(name))];
}

describe('command line and dashboard', () => {
  it('call the API through client/ alone', () => {
    const sources = listSources(root).filter((file) => /^(cli|web)\//.test(file));
    const scripts = readdirSync(`${root}/web/public`)
      .filter((name) => name.endsWith('.js'))
      .map((name) => `web/public/${name}`);
    const page = ['web/index.html'];
    const all = [...sources, ...scripts, ...page];
    for (const room of ['cli/', 'web/']) {
      expect(all.filter((file) => file.startsWith(room)).length).toBeGreaterThan(50);
    }
    const found = all.flatMap((file) =>
      waysOut(readFileSync(`${root}/${file}`, 'utf8')).map((way) => `${file}: ${way}`),
    );
    expect(found).toEqual([]);
  });

  it.each([
    ["const reply = await fetch('/api/tasks');", 'fetch'],
    ['const ask = given ?? fetch;', 'fetch'],
    ['const x = { fetch };', 'fetch'],
    ['return window.fetch(url)', 'fetch'],
    ['globalThis?.fetch (url)', 'fetch'],
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what a source holds.
    ['const text = `${(await fetch(url)).status}`;', 'fetch'],
    ['new XMLHttpRequest()', 'XMLHttpRequest'],
    ["new WebSocket('ws://x/ws/telemetry')", 'WebSocket'],
    ["new EventSource('/api/x')", 'EventSource'],
    ["navigator.sendBeacon('/api/x')", 'sendBeacon'],
    ["import { request } from 'node:http';", 'node:http'],
    ["import { connect } from 'node:net';", 'node:net'],
    ["import { io } from 'socket.io-client';", 'socket.io-client'],
    ["const { io } = await import('socket.io-client');", 'socket.io-client'],
    ["import axios from 'axios';", 'axios'],
    ["import { credentials } from '@grpc/grpc-js';", '@grpc/grpc-js'],
  ])('are found out when they write %s', (source, way) => {
    expect(waysOut(source)).toEqual([way]);
  });

  it.each([
    '// fetch(url) is what client/ does',
    '/* new WebSocket(url) */',
    "const words = 'use fetch(url) or a WebSocket';",
    'await this.#fetch(cursor, 10);',
    'async #fetch(cursor: string) {}',
    'createClient({ url, fetch: counted })',
    'readonly fetch?: Fetch;',
    'void prefetch(page); fetchRest(file); session.fetch();',
    "const url = 'http://localhost'; const io = terminal.io(url);",
    "import { createLive } from '../client/live.ts';",
    "import { isIP } from 'node:network';",
  ])('may write %s', (source) => {
    expect(waysOut(source)).toEqual([]);
  });
});
