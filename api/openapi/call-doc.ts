// What a route says of itself for people and programs that read the document at /openapi.json. Its parameters and its
// JSON body are not said here: they are read from the schemas that check them. Must not change what a route does.

import type { RouteOptions } from '@hapi/hapi';
import type Joi from 'joi';

declare module '@hapi/hapi' {
  interface RouteOptionsApp {
    readonly call?: CallDoc;
  }
}

/** In the order in which the document shows them. */
export const TAGS = {
  accounts: 'Registration, login, API tokens, one’s own account.',
  tasks: 'Submit, watch, cancel, retry and explain tasks.',
  queue: 'What waits, and where tasks would go.',
  output: 'What tasks print and use.',
  files: 'Uploads, and what tasks leave in `/output`.',
  webhooks: 'Who is told of changes of tasks.',
  workers: 'The machines of the cluster.',
  cluster: 'The cluster as a whole, now and over time.',
  administration: 'For admins: accounts, backups, what the scheduler decides.',
  service: 'Health of this process, and this document.',
} as const;
export type Tag = keyof typeof TAGS;

export interface HeaderDoc {
  readonly description: string;
  /** Text where it is not said. */
  readonly schema?: Joi.Schema;
  readonly required?: boolean;
}

/** JSON by its schema; bytes and text by their type; null: no body. */
export type ReplyDoc =
  | Joi.Schema
  | null
  | {
      readonly description?: string;
      /** By media type. A schema is that of the whole body, for `application/x-ndjson` that of a line. */
      readonly content?: Readonly<Record<string, Joi.Schema | 'bytes' | 'text'>>;
      readonly headers?: Readonly<Record<string, HeaderDoc>>;
    };

export interface CallDoc {
  /** Unique; programs that are made from the document name their functions by it. */
  readonly id: string;
  readonly tag: Tag;
  readonly summary: string;
  /** Markdown. */
  readonly notes?: string;
  /** By status below 400, and those above whose body is an answer and no error. */
  readonly replies: Readonly<Record<number, ReplyDoc>>;
  /** Statuses of errors beyond those that follow from the route: 400, 401, 403, 408, 413, 415, 429, 500, 503. */
  readonly refusals?: readonly number[];
  /** What it reads of the headers of a request. */
  readonly headers?: Readonly<Record<string, HeaderDoc>>;
  /** A body that is not JSON, by media type. */
  readonly bytes?: readonly string[];
  /** It answers HEAD, too, and that is worth telling. */
  readonly head?: true;
}

/** Options of a route that carry what it says of itself. */
export function documented(call: CallDoc): Required<Pick<RouteOptions, 'description' | 'tags' | 'app'>> {
  return { description: call.summary, tags: [call.tag], app: { call } };
}
