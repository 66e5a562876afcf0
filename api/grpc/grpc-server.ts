// The gRPC side of the API: the contract's service, health and reflection on one port, over the services that REST has.
// Its listener is our own, so that connections are bounded as those of REST are, and TLS is renewed alike.

import { type AddressInfo, createServer, type Server as Listener, type Socket } from 'node:net';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import {
  Server,
  ServerCredentials,
  type ServiceDefinition,
  type UntypedServiceImplementation,
} from '@grpc/grpc-js';
import { ReflectionService } from '@grpc/reflection';
import { AppError } from '../../shared/errors.ts';
import type { TlsTexts } from '../../shared/platform/tls-files.ts';
import { boundConnections, type ListenerBounds } from '../http/listener.ts';
import type { Readiness } from '../services/readiness.ts';
import { arrivalsOf, RequestTurns } from '../services/request-turns.ts';
import { type AdmissionParts, Admissions } from './admission.ts';
import { type CallParts, createCalls } from './calls.ts';
import { loadContract } from './contract.ts';
import { GrpcHealth } from './health.ts';
import { OpenCalls } from './open-calls.ts';
import { createWatches, type WatchParts } from './watches.ts';

type Made = 'contract' | 'admissions' | 'arrivals' | 'arrivalMs' | 'openCalls';

export interface GrpcParts
  extends Omit<AdmissionParts, Made>,
    Omit<CallParts, Made>,
    Omit<WatchParts, Made | 'peerIdleMs'> {
  readonly readiness: Readiness;
  readonly host: string;
  readonly port: number;
  readonly tls: TlsTexts | null;
  readonly bounds: ListenerBounds;
  readonly peerIdleMs?: number | undefined;
  readonly arrivalMs?: number | undefined;
}

/** As the largest task of REST. */
const REQUEST_MAX_BYTES = 2 * 1_048_576;
/**
 * So many large requests may be on their way in: gRPC does not announce their size, so each may be as large as the largest.
 * Together they are what the bodies of REST may be.
 */
const ARRIVALS_OF_ONE = 20;
const ARRIVALS_IN_ALL = 80;
/** As for bodies of REST. */
const ARRIVAL_MS = 20_000;
const STREAMS_PER_CONNECTION = 100;
const PEER_IDLE_MS = 60_000;
/** A peer that vanished without a word is noticed within a minute. */
const KEEPALIVE_TIME_MS = 40_000;
const KEEPALIVE_TIMEOUT_MS = 20_000;
const STOP_DEADLINE_MS = 5_000;

export class GrpcServer {
  readonly #parts: GrpcParts;
  readonly #server: ListedServer;
  readonly #health: GrpcHealth;
  readonly #openCalls = new OpenCalls();
  readonly #listener: Listener;
  readonly #sockets = new Set<Socket>();

  constructor(parts: GrpcParts) {
    this.#parts = parts;
    const contract = loadContract();
    const admissions = new Admissions({
      ...parts,
      contract,
      arrivals: new RequestTurns(arrivalsOf(ARRIVALS_OF_ONE, ARRIVALS_IN_ALL)),
      arrivalMs: parts.arrivalMs ?? ARRIVAL_MS,
    });
    const made = { ...parts, contract, admissions, openCalls: this.#openCalls };
    this.#server = new ListedServer({
      'grpc.max_receive_message_length': REQUEST_MAX_BYTES,
      'grpc.max_concurrent_streams': STREAMS_PER_CONNECTION,
      'grpc.keepalive_time_ms': KEEPALIVE_TIME_MS,
      'grpc.keepalive_timeout_ms': KEEPALIVE_TIMEOUT_MS,
      'grpc.enable_channelz': 0,
      interceptors: [admissions.intercept],
    });
    this.#server.addService(contract.service, {
      ...createCalls(made),
      ...createWatches({ ...made, peerIdleMs: parts.peerIdleMs ?? PEER_IDLE_MS }),
    });
    this.#health = new GrpcHealth(parts.readiness);
    this.#health.addTo(this.#server);
    new ReflectionService(contract.shown).addToServer(this.#server);
    this.#listener = this.#listen();
  }

  /** All that can be called here, health and reflection too, as `cloudai.v1.CloudAI/GetTask`. */
  get methods(): readonly string[] {
    return this.#server.methods;
  }

  /** Watches that are open now. */
  get watches(): number {
    return this.#openCalls.size;
  }

  /** Listens, and says at which port. @throws AppError `conflict` when it is taken */
  async start(): Promise<number> {
    await this.#health.start();
    const { host, port } = this.#parts;
    await new Promise<void>((done, refused) => {
      this.#listener.once('error', (error: NodeJS.ErrnoException) => refused(faultOf(error, port)));
      this.#listener.listen({ host, port }, () => done());
    });
    return (this.#listener.address() as AddressInfo).port;
  }

  /** For connections from now on. */
  renew(tls: TlsTexts): void {
    if (this.#parts.tls) (this.#listener as TlsServer).setSecureContext(tls);
  }

  /** Watches have been told to end by then; all else may finish within some seconds, and is cut after that. */
  async stop(): Promise<void> {
    this.#health.stop();
    if (this.#listener.listening) this.#listener.close();
    const drained = new Promise<void>((done) => this.#server.tryShutdown(() => done()));
    const timer = setTimeout(() => this.#server.forceShutdown(), STOP_DEADLINE_MS);
    await Promise.race([drained, allClosed(this.#sockets)]);
    clearTimeout(timer);
    this.#server.forceShutdown();
    for (const socket of this.#sockets) socket.destroy();
  }

  #listen(): Listener {
    const { tls, bounds } = this.#parts;
    const injector = this.#server.createConnectionInjector(ServerCredentials.createInsecure());
    const take = (socket: Socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      injector.injectConnection(socket);
    };
    const listener = tls
      ? createTlsServer({ ...tls, ALPNProtocols: ['h2'], handshakeTimeout: bounds.headMs }, take)
      : createServer(take);
    return boundConnections(listener, bounds);
  }
}

/** Knows what it serves. */
class ListedServer extends Server {
  readonly methods: string[] = [];

  override addService(service: ServiceDefinition, implementation: UntypedServiceImplementation): void {
    super.addService(service, implementation);
    this.methods.push(...Object.values(service).map(({ path }) => path.replace(/^\//, '')));
  }
}

function allClosed(sockets: ReadonlySet<Socket>): Promise<unknown> {
  return Promise.all([...sockets].map((socket) => new Promise((done) => socket.once('close', done))));
}

function faultOf(error: NodeJS.ErrnoException, port: number): unknown {
  if (error.code !== 'EADDRINUSE' && error.code !== 'EACCES') return error;
  const why = error.code === 'EACCES' ? 'kept for root' : 'taken';
  return new AppError(
    'conflict',
    `port ${port}, where gRPC is to listen, is ${why}: set GRPC_PORT to another, or to "off"`,
    { cause: error },
  );
}
