// The built dashboard at `/`, and the answer to every address that no other route knows. Serves files of one
// directory only, none hidden; falls back to the page for addresses the dashboard routes by itself.

import { stat } from 'node:fs/promises';
import { resolve, sep } from 'node:path';
import Boom from '@hapi/boom';
import type { Plugin, Request, ResponseObject, ResponseToolkit, Server } from '@hapi/hapi';
import Inert from '@hapi/inert';
import { takesBrotli } from '../http/encodings.ts';

export interface DashboardOptions {
  /** Absolute. May be missing: then a page says how to get it. */
  readonly webDir: string;
}

/**
 * Scripts only from here. Lit sets style attributes, so those are open; style sheets come from here. Pictures in files
 * are shown from memory (`blob:`), as the token goes in a header.
 */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data: blob:",
  "font-src 'self'",
  "connect-src 'self'",
  "manifest-src 'self'",
  "base-uri 'none'",
  "form-action 'self'",
  "frame-ancestors 'none'",
].join('; ');

/** Vite puts a hash of the content into the names of these. */
const HASHED = /^assets\//;
/** Addresses that are never the dashboard's. */
const NOT_PAGES = /^(api|ws)(\/|$)/;
const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE'] as const;
const ANYTHING_ELSE = '/{path*}';

const NOT_BUILT = `<!doctype html>
<html lang="en"><meta charset="utf-8"><title>CloudAI</title>
<h1>CloudAI</h1>
<p>The API is up, but the dashboard is not built here. Run <code>npm run build</code> and load this page again.</p>
<p>Without it: <a href="/telemetry">/telemetry</a>, <a href="/workers">/workers</a>, <a href="/readyz">/readyz</a>,
and the command <code>npx cloudai</code>.</p>
</html>
`;

export const dashboardPlugin: Plugin<DashboardOptions> = {
  name: 'dashboard',
  register: async (server: Server, { webDir }: DashboardOptions) => {
    await server.register({ plugin: Inert }, { once: true });

    server.route({
      method: 'GET',
      path: ANYTHING_ELSE,
      options: { auth: false },
      handler: async (request, h) => {
        const path = String(request.params.path ?? '');
        if (NOT_PAGES.test(path)) throw refuse(server, request);
        const file = path === '' ? null : await findFile(webDir, path);
        if (file) return page(h, request, file, webDir, HASHED.test(path));
        if (path !== '' && !isPageAddress(request, path)) throw refuse(server, request);
        const index = await findFile(webDir, 'index.html');
        if (index) return page(h, request, index, webDir, false);
        if (path !== '') throw refuse(server, request);
        return safe(h.response(NOT_BUILT).type('text/html; charset=utf-8'), 'no-store');
      },
    });

    server.route({
      method: '*',
      path: ANYTHING_ELSE,
      options: { auth: false, payload: { parse: false, output: 'stream' } },
      handler: (request) => {
        throw refuse(server, request);
      },
    });
  },
};

/** In the smallest form that the build made and the caller takes. */
async function page(
  h: ResponseToolkit,
  request: Request,
  file: string,
  webDir: string,
  hashed: boolean,
): Promise<ResponseObject> {
  const cache = hashed ? 'public, max-age=31536000, immutable' : 'no-cache';
  const { raw, server } = request;
  const brotli = takesBrotli(raw.req.headers['accept-encoding'])
    ? await findFile(webDir, `${file}.br`)
    : null;
  if (brotli === null) return safe(h.file(file, { confine: webDir, lookupCompressed: true }), cache);
  const { type = 'application/octet-stream' } = server.mime.path(file) as { type?: string };
  const { size, mtimeMs } = await stat(brotli);
  // hapi does not know brotli: by the tag it would make, it would not know the file again.
  const packed = h
    .file(brotli, { confine: webDir, etagMethod: false })
    .type(type)
    .header('content-encoding', 'br')
    .etag(`${mtimeMs.toString(36)}-${size}-br`, { vary: false, weak: false });
  return safe(packed.vary('accept-encoding'), cache);
}

function safe(response: ResponseObject, cache: string): ResponseObject {
  return response.header('content-security-policy', PAGE_POLICY).header('cache-control', cache);
}

/** What a browser asks for when someone opens or reloads an address of the dashboard. */
function isPageAddress(request: Request, path: string): boolean {
  const last = path.slice(path.lastIndexOf('/') + 1);
  return String(request.headers.accept ?? '').includes('text/html') && !last.includes('.');
}

async function findFile(webDir: string, path: string): Promise<string | null> {
  if (path.includes('\0') || path.split('/').some((part) => part.startsWith('.'))) return null;
  const file = resolve(webDir, path);
  if (!file.startsWith(webDir + sep)) return null;
  try {
    return (await stat(file)).isFile() ? file : null;
  } catch {
    return null;
  }
}

/** 405 when the address is known with another method, else 404. */
function refuse(server: Server, request: Request): Boom.Boom {
  const allowed = METHODS.filter((method) => {
    const route = server.match(method.toLowerCase() as 'get', request.path);
    return route !== null && route.path !== ANYTHING_ELSE;
  });
  if (allowed.length === 0) return Boom.notFound();
  const names = allowed.join(', ');
  return Boom.methodNotAllowed(`this address takes ${names}, not ${request.method.toUpperCase()}`, null, [
    ...allowed,
  ]);
}
