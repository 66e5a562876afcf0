// Holds answers of the API against the document that it gives of itself. Stricter than the document in one point: a
// field that it does not name is a fault here, so that no answer outgrows it unseen.

import type { RequestRoute, Server } from '@hapi/hapi';
import { Ajv2020, type ErrorObject, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { documentPath, isCall, openApiDocument } from '../../api/openapi/document.ts';

export interface Answered {
  readonly route: Pick<RequestRoute, 'method' | 'path'>;
  /** As it was asked: HEAD where the route is GET. */
  readonly method: string;
  readonly status: number;
  readonly contentType: string | undefined;
  readonly text: string;
}

interface Reply {
  readonly content?: Readonly<Record<string, { readonly schema?: { readonly $ref?: string } }>>;
}

interface Document {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { responses: Record<string, Reply> }>>>>;
}

const NDJSON = 'application/x-ndjson';

export class DocumentCheck {
  readonly #document: Document;
  readonly #ajv: Ajv2020;
  readonly #compiled = new Map<string, ValidateFunction>();

  constructor(document: object) {
    this.#document = closed(document) as Document;
    this.#ajv = new Ajv2020({ strict: false, allErrors: true, validateSchema: false });
    formats.default(this.#ajv);
    this.#ajv.addSchema(this.#document, 'document');
  }

  /** What is wrong with an answer; null: nothing. */
  fault({ route, method, status, contentType, text }: Answered): string | null {
    const where = `${route.method.toUpperCase()} ${route.path} ${status}`;
    if (!isCall(route)) return status < 400 || !isJson(contentType) ? null : this.#strayError(where, text);
    const path = documentPath(route.path);
    const reply = this.#document.paths[path]?.[route.method]?.responses[status];
    if (!reply)
      return `${where}: the document does not know this status; the answer was ${text.slice(0, 300)}`;
    if (method === 'head' || text === '') return null;
    const type = (contentType ?? '').split(';')[0]?.trim() ?? '';
    const known = reply.content ?? {};
    const found = type in known ? type : '*/*' in known ? '*/*' : null;
    if (found === null) return `${where}: the document does not know the type ${type || 'of no name'}`;
    const schema = known[found]?.schema;
    if (schema === undefined) return null;
    // Most answers are parts with a name, errors above all: each is compiled once.
    const part = typeof schema.$ref === 'string' ? schema.$ref.slice(2).split('/') : null;
    const place = part ?? [
      'paths',
      path,
      route.method,
      'responses',
      String(status),
      'content',
      found,
      'schema',
    ];
    if (type === NDJSON) {
      const lines = text.split('\n').filter((line) => line !== '');
      return first(lines, (line) => this.#mismatch(where, place, JSON.parse(line)));
    }
    return this.#mismatch(where, place, isJson(type) ? JSON.parse(text) : text);
  }

  #strayError(where: string, text: string): string | null {
    // Bull Board has errors of its own.
    if (where.includes('/queues/')) return null;
    return this.#mismatch(where, ['components', 'schemas', 'Error'], JSON.parse(text));
  }

  #mismatch(where: string, place: readonly string[], value: unknown): string | null {
    const pointer = place
      .map((part) => part.replaceAll('~', '~0').replaceAll('/', '~1'))
      .map(encodeURIComponent);
    const ref = `document#/${pointer.join('/')}`;
    const validate = this.#compiled.get(ref) ?? this.#ajv.compile({ $ref: ref });
    this.#compiled.set(ref, validate);
    return validate(value) ? null : `${where}: ${(validate.errors ?? []).slice(0, 5).map(words).join('; ')}`;
  }
}

let check: DocumentCheck | null = null;

/** Each answer that a test gets by `inject` fails the test when the document does not know it so. */
export function holdToDocument(server: Server): void {
  const inject = server.inject.bind(server) as Server['inject'];
  server.inject = (async (options: Parameters<Server['inject']>[0]) => {
    const response = await inject(options as never);
    // The same of all servers of a test file: making it and compiling it once is enough.
    check ??= new DocumentCheck(openApiDocument(server, 'test'));
    const { route, method } = response.request;
    const contentType = response.headers['content-type'];
    const fault = check.fault({
      route,
      method,
      status: response.statusCode,
      contentType: contentType === undefined ? undefined : String(contentType),
      text: response.payload,
    });
    if (fault !== null) throw new Error(`not as in the document: ${fault}`);
    return response;
  }) as Server['inject'];
}

function isJson(type: string | undefined): boolean {
  return type?.startsWith('application/json') === true;
}

function first<T>(values: readonly T[], of: (value: T) => string | null): string | null {
  for (const value of values) {
    const found = of(value);
    if (found !== null) return found;
  }
  return null;
}

function words({ instancePath, message, params }: ErrorObject): string {
  return `${instancePath || 'the body'} ${message} ${JSON.stringify(params)}`;
}

/** No object with named fields may have others. */
function closed(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(closed);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, part]) => [key, closed(part)] as const);
  const object = Object.fromEntries(entries);
  const isShape = typeof object.properties === 'object' && !('additionalProperties' in object);
  return isShape ? { ...object, additionalProperties: false } : object;
}
