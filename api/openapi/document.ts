// The OpenAPI document, made from the routes of the server: their schemas, who may call them, and what each says of
// itself. Pure but for reading the routes. Never names a call that is not there.

import { STATUS_CODES } from 'node:http';
import type { RequestRoute, Server } from '@hapi/hapi';
import Joi from 'joi';
import { errorReplySchema } from '../../shared/contracts/account-reply-schemas.ts';
import { type CallDoc, type HeaderDoc, type ReplyDoc, TAGS } from './call-doc.ts';
import { type JsonSchema, SchemaBook } from './json-schema.ts';

const OPENAPI_VERSION = '3.1.1';

type Json = Record<string, unknown>;

/** Routes that are no calls: pages for people, and answers to addresses that do not exist. */
const NOT_CALLS: readonly { readonly path: RegExp; readonly because: string }[] = [
  { path: /^\/\{path\*\}$/, because: 'the pages of the dashboard, and the answer to all unknown addresses' },
  { path: /^\/queues\/./, because: 'what the page of the queue board asks for by itself' },
  { path: /^\/documentation\/./, because: 'what the page of the documentation loads by itself' },
];

export function isCall({ path, method }: Pick<RequestRoute, 'path' | 'method'>): boolean {
  // What hapi has for all methods, and for addresses that it cannot read, is no call.
  return !/^[*_]/.test(String(method)) && !NOT_CALLS.some((not) => not.path.test(path));
}

/** `/api/files/{path*}` is `/api/files/{path}` in the document. */
export function documentPath(path: string): string {
  return path.replace(/\{(\w+)\*\}/g, '{$1}');
}

/** @throws Error that names the route which says too little of itself */
export function openApiDocument(server: Server, release: string): Json {
  const book = new SchemaBook();
  const routes = server.table().filter((route) => isCall(route));
  const paths: Record<string, Json> = {};
  for (const route of routes.sort((a, b) => (a.path < b.path ? -1 : a.path > b.path ? 1 : 0))) {
    const path = documentPath(route.path);
    const operation = new Operation(server, route, book);
    paths[path] = { ...paths[path], [route.method]: operation.write() };
    if (operation.call.head) paths[path] = { ...paths[path], head: operation.writeHead() };
  }
  book.write(errorReplySchema, 'reply');
  return {
    openapi: OPENAPI_VERSION,
    info: {
      title: 'CloudAI',
      version: release,
      summary: 'Docker workloads on a cluster: submit a task, it runs where it fits, its output comes back.',
      description: INTRODUCTION,
      license: { name: 'MIT', identifier: 'MIT' },
    },
    servers: [{ url: '/', description: 'This API.' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    security: [{ bearer: [] }],
    paths,
    components: {
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'The token of a login, or an API token, which lasts until it is taken back.',
        },
        'queue-board': {
          type: 'apiKey',
          in: 'cookie',
          name: 'cloudai-queues',
          description: 'The cookie that `POST /api/auth/queue-board` sets, for `/queues` alone.',
        },
      },
      headers: SHARED_HEADERS,
      schemas: book.parts(),
    },
  };
}

const INTRODUCTION = `JSON in and out. cpu in cores, memory and storage in MB (1,048,576 bytes), times as ISO 8601 in UTC.

Get a token from \`POST /api/auth/login\` and send it as \`Authorization: Bearer <token>\`. Every error has one form, \`Error\`:
match on its \`code\`. A 429 or 503 says in \`Retry-After\` when to try again. Lists are read page by page: pass \`next_cursor\`
as \`cursor\`.`;

const TEXT: JsonSchema = { type: 'string' };
const ERROR_CONTENT = { 'application/json': { schema: { $ref: '#/components/schemas/Error' } } };

const SHARED_HEADERS: Record<string, Json> = {
  'X-Request-Id': { description: 'Names this request in the log of the API.', schema: TEXT },
  'Retry-After': {
    description: 'Seconds to wait before it is tried again.',
    schema: { type: 'integer', minimum: 0 },
  },
  'RateLimit-Policy': { description: 'What is allowed, for example `"writes";q=600;w=60`.', schema: TEXT },
  RateLimit: {
    description: 'What is left of it and for how long, for example `"writes";r=599;t=60`.',
    schema: TEXT,
  },
};

function sharedHeaders(...names: string[]): Json {
  return Object.fromEntries(names.map((name) => [name, { $ref: `#/components/headers/${name}` }]));
}

class Operation {
  readonly call: CallDoc;
  readonly #server: Server;
  readonly #route: RequestRoute;
  readonly #book: SchemaBook;

  constructor(server: Server, route: RequestRoute, book: SchemaBook) {
    const { call } = route.settings.app ?? {};
    if (!call)
      throw new Error(`${route.method.toUpperCase()} ${route.path} does not say what it is (see documented)`);
    this.call = call;
    this.#server = server;
    this.#route = route;
    this.#book = book;
  }

  write(): Json {
    const { call } = this;
    const body = this.#body();
    return {
      operationId: call.id,
      tags: [call.tag],
      summary: call.summary,
      ...(call.notes === undefined ? {} : { description: call.notes }),
      security: this.#security(),
      parameters: this.#parameters(),
      ...(body === null ? {} : { requestBody: body }),
      responses: this.#responses(),
    };
  }

  /** The same without bodies. */
  writeHead(): Json {
    const { requestBody: _, ...operation } = this.write();
    const replies = Object.entries(operation.responses as Record<string, Json>).map(
      ([status, { content: _, ...reply }]) => [
        status,
        reply.$ref === undefined ? reply : { description: STATUS_CODES[status] ?? status },
      ],
    );
    return {
      ...operation,
      operationId: `${this.call.id}Head`,
      summary: `${this.call.summary} The headers alone.`,
      responses: Object.fromEntries(replies),
    };
  }

  #auth(): { isOpen: boolean; isOptional: boolean; strategies: readonly string[] } {
    // hapi has it and its types do not.
    const { lookup } = this.#server.auth as unknown as {
      lookup(route: RequestRoute): { mode: string; strategies: string[] } | false | undefined;
    };
    const auth = lookup.call(this.#server.auth, this.#route);
    if (!auth) return { isOpen: true, isOptional: false, strategies: [] };
    return { isOpen: false, isOptional: auth.mode !== 'required', strategies: auth.strategies };
  }

  #security(): Json[] {
    const { isOpen, isOptional, strategies } = this.#auth();
    if (isOpen) return [];
    const ways = strategies.flatMap((name) =>
      // The board takes a token as well as its cookie.
      name === 'bearer' ? [{ bearer: [] }] : [{ bearer: [] }, { [name]: [] }],
    );
    return isOptional ? [{}, ...ways] : ways;
  }

  #schemaOf(part: 'params' | 'query' | 'payload'): Joi.Schema | null {
    const rule: unknown = this.#route.settings.validate?.[part];
    return Joi.isSchema(rule) ? rule : null;
  }

  #parameters(): Json[] {
    const inAddress = this.#keysOf('params').map((one) => ({ ...one, in: 'path', required: true }));
    const named = new Set(inAddress.map(({ name }) => name));
    for (const [, name = ''] of this.#route.path.matchAll(/\{(\w+)\*?\}/g)) {
      if (named.has(name)) continue;
      // What asks for nothing but what can be asked for takes any address.
      if (this.#route.method !== 'options') throw new Error(`${this.#route.path} has no schema for ${name}`);
      inAddress.push({ name, in: 'path', required: true, schema: TEXT });
    }
    const inQuery = this.#keysOf('query').map((one) => ({ ...one, in: 'query' }));
    const inHeaders = Object.entries(this.call.headers ?? {}).map(([name, header]) => ({
      name,
      in: 'header',
      required: header.required === true,
      ...this.#header(header),
    }));
    return [...inAddress, ...inQuery, ...inHeaders];
  }

  #keysOf(
    part: 'params' | 'query',
  ): { name: string; required: boolean; description?: string; schema: JsonSchema }[] {
    const schema = this.#schemaOf(part);
    if (!schema) return [];
    const written = this.#book.write(schema, 'request');
    const required = (written.required ?? []) as string[];
    return Object.entries((written.properties ?? {}) as Record<string, JsonSchema>).map(
      ([name, { description, ...rest }]) => ({
        name,
        required: required.includes(name),
        ...(description === undefined ? {} : { description: String(description) }),
        schema: rest,
      }),
    );
  }

  #header({ description, schema }: HeaderDoc): Json {
    return { description, schema: schema ? this.#book.write(schema, 'request') : TEXT };
  }

  #body(): Json | null {
    const { bytes } = this.call;
    if (bytes) {
      const content = Object.fromEntries(bytes.map((type) => [type, {}]));
      return { required: true, content };
    }
    const schema = this.#schemaOf('payload');
    if (!schema) return null;
    const isRequired = schema.$_getFlag('presence') === 'required';
    const written = this.#book.write(schema, 'request');
    return { required: isRequired, content: { 'application/json': { schema: written } } };
  }

  #responses(): Json {
    const { isOpen } = this.#auth();
    const isCounted = !isOpen || this.#route.settings.plugins?.['rate-limits']?.anonymous === true;
    const shared = sharedHeaders('X-Request-Id', ...(isCounted ? ['RateLimit', 'RateLimit-Policy'] : []));
    const told = Object.entries(this.call.replies).map(([status, reply]) => [
      status,
      this.#reply(Number(status), reply, shared),
    ]);
    const refused = this.#refusals(isOpen, isCounted)
      .filter((status) => !(status in this.call.replies))
      .map((status) => [String(status), refusal(status, shared)]);
    return Object.fromEntries([...told, ...refused].sort(([a], [b]) => Number(a) - Number(b)));
  }

  /** Which errors follow from what a route checks. */
  #refusals(isOpen: boolean, isCounted: boolean): number[] {
    const isChecked = (['params', 'query', 'payload'] as const).some((part) => this.#schemaOf(part));
    const hasBody = this.#schemaOf('payload') !== null;
    const takesBody = !['get', 'head', 'options'].includes(this.#route.method);
    return [
      ...(isChecked || takesBody || this.call.headers ? [400] : []),
      ...(isOpen ? [] : [401, 403]),
      ...(takesBody ? [408, 413] : []),
      ...(hasBody || takesBody ? [415] : []),
      ...(isCounted ? [429] : []),
      ...(this.call.refusals ?? []),
      500,
      503,
    ];
  }

  #reply(status: number, reply: ReplyDoc, shared: Json): Json {
    const description = STATUS_CODES[status] ?? String(status);
    if (reply === null) return { description, headers: shared };
    if (Joi.isSchema(reply)) {
      const schema = this.#book.write(reply, 'reply');
      return { description, headers: shared, content: { 'application/json': { schema } } };
    }
    const headers = Object.entries(reply.headers ?? {}).map(([name, header]) => [name, this.#header(header)]);
    const content = Object.entries(reply.content ?? {}).map(([type, of]) => [type, this.#content(of)]);
    return {
      description: reply.description ?? description,
      headers: { ...shared, ...Object.fromEntries(headers) },
      ...(content.length === 0 ? {} : { content: Object.fromEntries(content) }),
    };
  }

  #content(of: Joi.Schema | 'bytes' | 'text'): Json {
    if (of === 'bytes') return {};
    return { schema: of === 'text' ? TEXT : this.#book.write(of, 'reply') };
  }
}

function refusal(status: number, shared: Json): Json {
  const isForLater = status === 429 || status === 503;
  return {
    description: STATUS_CODES[status] ?? (status === 460 ? 'Checksum Mismatch' : String(status)),
    headers: { ...shared, ...(isForLater ? sharedHeaders('Retry-After') : {}) },
    content: ERROR_CONTENT,
  };
}
