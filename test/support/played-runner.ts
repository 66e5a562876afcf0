// The runner's side of an adoption, played by hand on a real HTTP server: it does what a waiting runner does, or what a
// test tells it to do instead.

import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type {
  AdoptionRefusal,
  ClusterSettings,
  HelloRequest,
  SettingsRequest,
} from '../../shared/contracts/adoption.ts';
import {
  isProof,
  type KeyShare,
  newKeyShare,
  prove,
  type Transcript,
  unseal,
} from '../../shared/platform/adoption-proof.ts';

export type Step = 'hello' | 'settings';

export interface PlayedRunnerOptions {
  readonly token: string;
  readonly port?: number;
  /** Awaited before it answers the first call. */
  readonly onHello?: () => Promise<unknown>;
  /** Called with the settings before the runner says that it has taken them. */
  readonly onTaken?: (settings: ClusterSettings) => Promise<unknown>;
}

export interface PlayedRunner {
  readonly address: string;
  readonly port: number;
  /** What it was asked, in order. */
  readonly asked: Step[];
  readonly taken: ClusterSettings[];
  /** Answers this step so from now on; null: as a runner does. */
  on(step: Step, answer: ((reply: ServerResponse) => void) | null): void;
  refuse(step: Step, refusal: AdoptionRefusal): void;
  close(): Promise<void>;
}

export async function playRunner(options: PlayedRunnerOptions): Promise<PlayedRunner> {
  const { token, port = 0, onHello, onTaken } = options;
  const asked: Step[] = [];
  const taken: ClusterSettings[] = [];
  const answers = new Map<Step, (reply: ServerResponse) => void>();
  const hands = new Map<string, { mine: KeyShare; transcript: Transcript }>();

  const hello = async (request: HelloRequest) => {
    await onHello?.();
    const mine = newKeyShare();
    const transcript: Transcript = {
      version: request.version,
      workerId: request.worker_id,
      address: request.address,
      apiNonce: request.nonce,
      apiPublicKey: request.public_key,
      runnerNonce: mine.nonce,
      runnerPublicKey: mine.publicKey,
    };
    hands.set(mine.nonce, { mine, transcript });
    return { nonce: mine.nonce, public_key: mine.publicKey, proof: prove(token, 'runner', transcript) };
  };
  const settings = async ({ nonce, proof, sealed }: SettingsRequest) => {
    const hand = hands.get(nonce);
    if (!hand) return { refusal: { code: 'expired', message: 'unknown' } };
    const { mine, transcript } = hand;
    if (!isProof(proof, token, 'api', transcript))
      return { refusal: { code: 'token', message: 'wrong proof' } };
    const opened = unseal(sealed, token, mine, transcript.apiPublicKey, transcript) as ClusterSettings;
    taken.push(opened);
    await onTaken?.(opened);
    return { proof: prove(token, 'accepted', transcript) };
  };

  const server = createServer(async (request, reply) => {
    const step = (request.url ?? '').replace('/adoption/', '') as Step;
    asked.push(step);
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const own = answers.get(step);
    if (own) return own(reply);
    const body = JSON.parse(Buffer.concat(chunks).toString());
    const answer = await (step === 'hello' ? hello(body) : settings(body));
    const refused = 'refusal' in answer;
    reply.writeHead(refused ? 409 : 200, { 'content-type': 'application/json' });
    return reply.end(JSON.stringify(refused ? answer.refusal : answer));
  });
  await new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  const at = (server.address() as AddressInfo).port;
  const on: PlayedRunner['on'] = (step, answer) => {
    if (answer) answers.set(step, answer);
    else answers.delete(step);
  };
  return {
    address: `127.0.0.1:${at}`,
    port: at,
    asked,
    taken,
    on,
    refuse: (step, refusal) =>
      on(step, (reply) => {
        reply.writeHead(409, { 'content-type': 'application/json' });
        reply.end(JSON.stringify(refusal));
      }),
    close: () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  };
}
