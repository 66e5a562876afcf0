// What the API and a runner that waits say to each other while the runner is adopted into a cluster. Types only; the
// proofs and the seal are in shared/platform/adoption-proof.ts. Neither side sends a secret before the other has
// proved that it holds the cluster's token.
//
//   API                                              runner (started with --wait)
//    │ POST /adoption/hello     its nonce and key ────────►│
//    │◄──── nonce, key, proof that it holds the token ─────│
//    │ POST /adoption/settings  proof, sealed settings ───►│ opens them, tries store and Redis, keeps them
//    │◄──────────────── proof that it has taken them ──────│ stops listening, registers as a worker

/** Port a waiting runner listens on when nothing else is said. */
export const ADOPTION_PORT = 50_052;
export const ADOPTION_VERSION = 1;

/** Keys, nonces, proofs and sealed bytes are base64. */
export interface HelloRequest {
  readonly version: typeof ADOPTION_VERSION;
  /** What the runner is to be called. */
  readonly worker_id: string;
  /** As the admin wrote it. */
  readonly address: string;
  readonly nonce: string;
  /** X25519, raw. */
  readonly public_key: string;
}

export interface HelloReply {
  readonly nonce: string;
  readonly public_key: string;
  readonly proof: string;
}

export interface SettingsRequest {
  /** The runner's: names the handshake this goes on with. */
  readonly nonce: string;
  readonly proof: string;
  readonly sealed: Sealed;
}

export interface SettingsReply {
  readonly proof: string;
}

/** AES-256-GCM. */
export interface Sealed {
  readonly iv: string;
  readonly data: string;
  readonly tag: string;
}

/** What is inside the seal: all a runner needs of a cluster, named like the settings they stand for. */
export interface ClusterSettings {
  readonly STORE_URL: string;
  readonly REDIS_URL: string;
  readonly REDIS_PREFIX: string;
  readonly FILES_URL: string;
  readonly WORKER_LEASE_SECONDS: number;
  readonly WORKER_ID: string;
  /** Host part of the address it was reached at. */
  readonly WORKER_ADDRESS: string;
}

/** Any answer of a waiting runner that is not 200. */
export interface AdoptionRefusal {
  readonly code: AdoptionRefusalCode;
  /** For the admin who registers. Never holds a setting's secret. */
  readonly message: string;
}

export const ADOPTION_REFUSALS = [
  /** Not JSON, a field missing. */
  'invalid_request',
  /** It speaks another version of this. */
  'version',
  /** The other side does not hold the token. */
  'token',
  /** The handshake is unknown or too old. */
  'expired',
  /** It was started to be another worker (its own WORKER_ID is set). */
  'worker_id',
  /** It cannot use the settings: store or Redis do not answer it. */
  'settings',
  /** Another handshake was faster. */
  'adopted',
] as const;
export type AdoptionRefusalCode = (typeof ADOPTION_REFUSALS)[number];
