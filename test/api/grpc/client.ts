// A gRPC client of the API as a Node program would have one, made from the .proto file.

import { resolve } from 'node:path';
import {
  type ChannelCredentials,
  type ClientReadableStream,
  credentials,
  loadPackageDefinition,
  Metadata,
  type ServiceClientConstructor,
  type ServiceError,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import type { Person } from '../harness.ts';

const PROTO = resolve(import.meta.dirname, '../../../shared/contracts/cloudai.proto');

// Loose on purpose: tests look at what comes, not at what a type says.
// biome-ignore lint/suspicious/noExplicitAny: see above.
export type Answer = any;

export interface Answered {
  readonly body: Answer;
  readonly trailers: Metadata;
}

type As = Person | string | null | undefined;
/** Metadata beside who is calling. */
type More = Readonly<Record<string, string>>;

export interface TestClient {
  call(name: string, request?: object, as?: As, more?: More): Promise<Answered>;
  /** The error that a call ends with. */
  refusal(name: string, request?: object, as?: As, more?: More): Promise<ServiceError>;
  stream(
    name: string,
    request?: object,
    as?: As,
    deadline?: number,
    more?: More,
  ): ClientReadableStream<Answer>;
  close(): void;
}

const made = loadPackageDefinition(
  loadSync(PROTO, { keepCase: true, longs: Number, enums: String }),
) as Answer;

export function openClient(
  port: number | null,
  channel: ChannelCredentials = credentials.createInsecure(),
  host = '127.0.0.1',
  sent: Record<string, string> = {},
): TestClient {
  const Service = made.cloudai.v1.CloudAI as ServiceClientConstructor;
  const client = new Service(`${host}:${port}`, channel) as Answer;
  const headers = (as: As, more: More = {}) => {
    const metadata = Metadata.fromHttp2Headers({ ...sent, ...more });
    const token = typeof as === 'object' && as !== null ? as.token : as;
    if (token) metadata.set('authorization', `Bearer ${token}`);
    return metadata;
  };
  const call: TestClient['call'] = (name, request = {}, as, more) =>
    new Promise((done, fail) => {
      let body: Answer;
      const options = { deadline: Date.now() + 30_000 };
      const made = client[name](
        request,
        headers(as, more),
        options,
        (error: ServiceError | null, value: Answer) => {
          if (error) fail(error);
          else body = value;
        },
      );
      made.on('status', ({ metadata }: { metadata: Metadata }) => done({ body, trailers: metadata }));
    });
  return {
    call,
    refusal: (name, request, as, more) =>
      call(name, request, as, more).then(
        () => Promise.reject(new Error(`${name} was not refused`)),
        (error: ServiceError) => error,
      ),
    stream: (name, request = {}, as, deadline = Date.now() + 60_000, more = {}) =>
      client[name](request, headers(as, more), { deadline }),
    close: () => client.close(),
  };
}

export interface Watched {
  readonly states: Answer[];
  readonly lines: string[];
  next: Answer;
  /** Null: it ended well. */
  readonly ended: Promise<ServiceError | null>;
}

/** Takes what comes; `into` goes on with what an earlier call has brought. */
export function collect(stream: ClientReadableStream<Answer>, into?: Watched): Watched {
  const { states, lines }: Pick<Watched, 'states' | 'lines'> = into ?? { states: [], lines: [] };
  const watched: Watched = {
    states,
    lines,
    next: into?.next,
    ended: new Promise((done) => {
      stream.once('error', (error: ServiceError) => done(error));
      stream.once('end', () => done(null));
    }),
  };
  stream.on('data', (message: Answer) => {
    watched.next = message.next;
    if (message.state) states.push(message.state);
    for (const line of message.logs?.lines ?? [])
      lines.push(`${message.logs.attempt}/${line.seq} ${line.line}`);
  });
  return watched;
}
