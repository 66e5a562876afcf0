// The API's side of an adoption, played by hand, so that tests can do each step well or wrong.

import {
  ADOPTION_VERSION,
  type AdoptionRefusal,
  type ClusterSettings,
  type HelloReply,
  type HelloRequest,
  type SettingsReply,
  type SettingsRequest,
} from '../../shared/contracts/adoption.ts';
import {
  isProof,
  type KeyShare,
  newKeyShare,
  prove,
  seal,
  type Transcript,
} from '../../shared/platform/adoption-proof.ts';

export const TOKEN = 'a token for tests, long enough to be one';

export interface Said<T> {
  readonly status: number;
  readonly body: T & Partial<AdoptionRefusal>;
}

export interface Hello {
  readonly mine: KeyShare;
  readonly transcript: Transcript;
  readonly reply: HelloReply;
}

export function makeSettings(over: Partial<ClusterSettings> = {}): ClusterSettings {
  return {
    STORE_URL: 'sqlite:/nowhere/cloudai.db',
    REDIS_URL: 'redis://127.0.0.1:6379',
    REDIS_PREFIX: 'cloudai',
    FILES_URL: 'file:/nowhere/files',
    WORKER_LEASE_SECONDS: 15,
    WORKER_ID: 'worker-3',
    WORKER_ADDRESS: '127.0.0.1',
    ...over,
  };
}

export function playedApi(port: number, token = TOKEN) {
  const url = `http://127.0.0.1:${port}`;

  async function send<T>(path: string, body: unknown): Promise<Said<T>> {
    const response = await fetch(`${url}${path}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', connection: 'close' },
      body: typeof body === 'string' ? body : JSON.stringify(body),
      signal: AbortSignal.timeout(20_000),
    });
    return { status: response.status, body: (await response.json()) as Said<T>['body'] };
  }

  const api = {
    send,

    /** Throws when it is refused. */
    async hello(workerId = 'worker-3'): Promise<Hello> {
      const mine = newKeyShare();
      const address = `127.0.0.1:${port}`;
      const request: HelloRequest = {
        version: ADOPTION_VERSION,
        worker_id: workerId,
        address,
        nonce: mine.nonce,
        public_key: mine.publicKey,
      };
      const { status, body } = await send<HelloReply>('/adoption/hello', request);
      if (status !== 200) throw new Error(`hello was refused: ${JSON.stringify(body)}`);
      const transcript: Transcript = {
        version: ADOPTION_VERSION,
        workerId,
        address,
        apiNonce: mine.nonce,
        apiPublicKey: mine.publicKey,
        runnerNonce: body.nonce,
        runnerPublicKey: body.public_key,
      };
      return { mine, transcript, reply: body };
    },

    isTrusted: ({ reply, transcript }: Hello) => isProof(reply.proof, token, 'runner', transcript),

    request({ mine, transcript }: Hello, settings: unknown): SettingsRequest {
      return {
        nonce: transcript.runnerNonce,
        proof: prove(token, 'api', transcript),
        sealed: seal(settings, token, mine, transcript.runnerPublicKey, transcript),
      };
    },

    settings: (hello: Hello, settings: unknown) =>
      send<SettingsReply>('/adoption/settings', api.request(hello, settings)),

    isAccepted: (hello: Hello, { body }: Said<SettingsReply>) =>
      isProof(body.proof, token, 'accepted', hello.transcript),

    /** All of it, as the API does it. */
    async adopt(settings: ClusterSettings): Promise<boolean> {
      const hello = await api.hello(settings.WORKER_ID);
      if (!api.isTrusted(hello)) throw new Error('the runner holds another token');
      const said = await api.settings(hello, settings);
      if (said.status !== 200) throw new Error(`refused: ${JSON.stringify(said.body)}`);
      return api.isAccepted(hello, said);
    },
  };
  return api;
}
