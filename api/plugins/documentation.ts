// /openapi.json: the document of this API, made from its own routes; /documentation: a page to read and try it.
// Everything the page loads comes from here.

import { createRequire } from 'node:module';
import { dirname } from 'node:path';
import type { Plugin, ResponseObject, Server } from '@hapi/hapi';
import Inert from '@hapi/inert';
import Joi from 'joi';
import { documented } from '../openapi/call-doc.ts';
import { openApiDocument } from '../openapi/document.ts';

export interface DocumentationOptions {
  /** Of CloudAI. */
  readonly release: string;
}

const DOCUMENT = '/openapi.json';
const PAGE = '/documentation';

/** What the page needs of the package, by the name it has there. */
const PARTS = ['swagger-ui.css', 'swagger-ui-bundle.js', 'favicon-32x32.png'] as const;

/** Scripts and style sheets from here alone. Its icons are in its style sheet, and some elements have style attributes. */
const PAGE_POLICY = [
  "default-src 'none'",
  "script-src 'self'",
  "style-src 'self'",
  "style-src-attr 'unsafe-inline'",
  "img-src 'self' data:",
  "connect-src 'self'",
  "base-uri 'none'",
  "form-action 'none'",
  "frame-ancestors 'none'",
].join('; ');

const HTML = `<!doctype html>
<html lang="en">
<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>API · CloudAI</title>
<link rel="icon" href="${PAGE}/favicon-32x32.png">
<link rel="stylesheet" href="${PAGE}/swagger-ui.css">
<noscript>This page needs JavaScript. The document itself is at <a href="${DOCUMENT}">${DOCUMENT}</a>.</noscript>
<main id="page"></main>
<script src="${PAGE}/swagger-ui-bundle.js"></script>
<script src="${PAGE}/start.js"></script>
</html>
`;

/** No validator and no other host is asked; a token that is put in is forgotten with the page. */
const START = `SwaggerUIBundle({
  url: '${DOCUMENT}',
  dom_id: '#page',
  deepLinking: true,
  docExpansion: 'none',
  filter: true,
  persistAuthorization: false,
  validatorUrl: null,
  presets: [SwaggerUIBundle.presets.apis],
});
`;

export const documentationPlugin: Plugin<DocumentationOptions> = {
  name: 'documentation',
  register: async (server: Server, { release }: DocumentationOptions) => {
    await server.register({ plugin: Inert }, { once: true });
    const packageDir = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

    // When it is asked for, all routes are there, and they do not change.
    let text: string | null = null;
    const document = () => {
      text ??= JSON.stringify(openApiDocument(server, release));
      return text;
    };

    server.route({
      method: 'GET',
      path: DOCUMENT,
      options: {
        ...documented({
          id: 'getOpenApi',
          tag: 'service',
          summary: 'This document.',
          replies: { 200: Joi.object().description('OpenAPI 3.1.') },
        }),
        auth: false,
      },
      handler: (_request, h) =>
        h.response(document()).type('application/json; charset=utf-8').header('cache-control', 'no-cache'),
    });

    server.route({
      method: 'GET',
      path: PAGE,
      options: {
        ...documented({
          id: 'showDocumentation',
          tag: 'service',
          summary: 'A page to read this document and to try its calls.',
          replies: { 200: { content: { 'text/html': 'text' } } },
        }),
        auth: false,
      },
      handler: (_request, h) => dressed(h.response(HTML).type('text/html; charset=utf-8')),
    });

    server.route({
      method: 'GET',
      path: `${PAGE}/start.js`,
      options: { auth: false },
      handler: (_request, h) => dressed(h.response(START).type('text/javascript; charset=utf-8')),
    });

    for (const name of PARTS) {
      server.route({
        method: 'GET',
        path: `${PAGE}/${name}`,
        options: { auth: false },
        handler: (_request, h) => dressed(h.file(name, { confine: packageDir })),
      });
    }
  },
};

function dressed(response: ResponseObject): ResponseObject {
  return response.header('content-security-policy', PAGE_POLICY).header('cache-control', 'no-cache');
}
