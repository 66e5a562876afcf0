// The health service of gRPC: SERVING while this process can do its work, as /readyz says it; NOT_SERVING once it stops.

import type { Server } from '@grpc/grpc-js';
import { HealthImplementation } from 'grpc-health-check';
import { GRPC_SERVICE } from '../../shared/contracts/grpc.ts';
import type { Readiness } from '../services/readiness.ts';

const LOOK_EVERY_MS = 5_000;
/** The empty name is the whole server. */
const NAMES = ['', GRPC_SERVICE];

export class GrpcHealth {
  readonly #readiness: Readiness;
  readonly #health = new HealthImplementation();
  readonly #everyMs: number;
  #timer: NodeJS.Timeout | null = null;
  #serves: boolean | null = null;
  #stopped = false;

  constructor(readiness: Readiness, everyMs = LOOK_EVERY_MS) {
    this.#readiness = readiness;
    this.#everyMs = everyMs;
    this.#tell(false);
  }

  addTo(server: Server): void {
    this.#health.addToServer(server);
  }

  async start(): Promise<void> {
    await this.#look();
    this.#timer = setInterval(() => void this.#look(), this.#everyMs);
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer) clearInterval(this.#timer);
    this.#tell(false);
  }

  async #look(): Promise<void> {
    const serves = await this.#readiness.isReady();
    if (!this.#stopped) this.#tell(serves);
  }

  #tell(serves: boolean): void {
    if (serves === this.#serves) return;
    this.#serves = serves;
    for (const name of NAMES) this.#health.setStatus(name, serves ? 'SERVING' : 'NOT_SERVING');
  }
}
