// The runner's side of an adoption, without the network: answers hello and settings, each with a reply or a refusal.
// Must never take settings before the other side has proved that it holds the token, and never says what is in them.

import {
  ADOPTION_VERSION,
  type AdoptionRefusal,
  type AdoptionRefusalCode,
  type ClusterSettings,
  type HelloReply,
  type SettingsReply,
} from '../../shared/contracts/adoption.ts';
import {
  adoptionVersionSchema,
  clusterSettingsSchema,
  helloRequestSchema,
  settingsRequestSchema,
} from '../../shared/contracts/adoption-schemas.ts';
import { messageOf } from '../../shared/errors.ts';
import {
  isProof,
  newKeyShare,
  prove,
  type Transcript,
  unseal,
} from '../../shared/platform/adoption-proof.ts';
import type { Log } from '../../shared/platform/log.ts';
import type { Clock } from '../../shared/ports/clock.ts';
import { Handshakes } from './handshakes.ts';
import { Rate } from './rate.ts';

export interface DeskParts {
  readonly token: string;
  /** Of this runner, when it was started to be a certain worker. */
  readonly workerId: string | null;
  readonly clock: Clock;
  readonly log: Log;
  /** What is in the way of working with these settings, in words without secrets; empty when nothing is. */
  faultsOf(settings: ClusterSettings, caller: string): Promise<readonly string[]>;
  /** Keeps the settings for later lives; throws when it cannot. */
  keep(settings: ClusterSettings): Promise<void>;
  /** For a person who watches. */
  say(text: string): void;
}

export type Answer<T> =
  | { readonly ok: true; readonly reply: T }
  | { readonly ok: false; readonly refusal: AdoptionRefusal };

/** One address may be wrong so often in a minute; then it is not listened to. */
export const MOST_WRONG_PROOFS = 10;
/** Lines about one address in a minute. */
export const MOST_LINES = 5;
const WINDOW_MS = 60_000;

export class AdoptionDesk {
  readonly #parts: DeskParts;
  readonly #handshakes: Handshakes;
  readonly #wrong: Rate;
  readonly #lines: Rate;
  /** Settings are being tried, or were taken: there is no second cluster. */
  #isTaken = false;
  #adopted: ClusterSettings | null = null;

  constructor(parts: DeskParts) {
    this.#parts = parts;
    const nowMs = () => parts.clock.monotonic();
    this.#handshakes = new Handshakes(nowMs);
    this.#wrong = new Rate({ most: MOST_WRONG_PROOFS, windowMs: WINDOW_MS, nowMs });
    this.#lines = new Rate({ most: MOST_LINES, windowMs: WINDOW_MS, nowMs });
  }

  /** What was accepted. */
  get adopted(): ClusterSettings | null {
    return this.#adopted;
  }

  /** @param caller address the request came from */
  hello(body: unknown, caller: string): Answer<HelloReply> {
    const spoken = adoptionVersionSchema.validate(body);
    if (!spoken.error && spoken.value.version !== ADOPTION_VERSION) {
      const text = `this runner speaks version ${ADOPTION_VERSION} of adoption, not ${spoken.value.version}: use one release of CloudAI on all machines`;
      return refuse('version', text);
    }
    const checked = check(helloRequestSchema, body);
    if (!checked.ok) return checked;
    if (this.#wrong.isUsedUp(caller)) return TOO_OFTEN;
    const {
      version,
      worker_id: workerId,
      address,
      nonce: apiNonce,
      public_key: apiPublicKey,
    } = checked.value;
    const mine = newKeyShare();
    const transcript: Transcript = {
      version,
      workerId,
      address,
      apiNonce,
      apiPublicKey,
      runnerNonce: mine.nonce,
      runnerPublicKey: mine.publicKey,
    };
    this.#handshakes.open({ mine, transcript });
    // An API with another token goes no further after the reply, and says so on its own side alone.
    if (this.#lines.add(caller)) {
      const text = `asked by ${caller} to be ${workerId}; when nothing follows, its cluster has another token`;
      this.#parts.say(text);
    }
    const proof = prove(this.#parts.token, 'runner', transcript);
    return { ok: true, reply: { nonce: mine.nonce, public_key: mine.publicKey, proof } };
  }

  async settings(body: unknown, caller: string): Promise<Answer<SettingsReply>> {
    const checked = check(settingsRequestSchema, body);
    if (!checked.ok) return checked;
    if (this.#wrong.isUsedUp(caller)) return TOO_OFTEN;
    const { nonce, proof, sealed } = checked.value;
    const handshake = this.#handshakes.take(nonce);
    if (!handshake) {
      return refuse('expired', 'this handshake is unknown here, was used, or is too old: begin again');
    }
    const { token, say } = this.#parts;
    const { mine, transcript } = handshake;
    if (!isProof(proof, token, 'api', transcript)) {
      this.#wrong.add(caller);
      say(`someone at ${caller} tried with a wrong token`);
      return refuse('token', 'the cluster token is not the one this runner was started with');
    }
    if (this.#isTaken) return refuse('adopted', 'this runner is being adopted already');
    this.#isTaken = true;
    try {
      const refusal = await this.#take(
        () => unseal(sealed, token, mine, transcript.apiPublicKey, transcript),
        {
          workerId: transcript.workerId,
          caller,
        },
      );
      if (refusal) return refusal;
      return { ok: true, reply: { proof: prove(token, 'accepted', transcript) } };
    } finally {
      this.#isTaken = this.#adopted !== null;
    }
  }

  /** Null when the settings were good and are kept. */
  async #take(
    open: () => unknown,
    { workerId, caller }: { workerId: string; caller: string },
  ): Promise<Extract<Answer<never>, { ok: false }> | null> {
    const { log, say, workerId: own } = this.#parts;
    let opened: unknown;
    try {
      opened = open();
    } catch (error) {
      return refuse('invalid_request', messageOf(error));
    }
    const { error, value: settings } = clusterSettingsSchema.validate(opened, LISTED);
    if (error) return refuse('settings', `the settings of the cluster are not whole: ${error.message}`);
    if (settings.WORKER_ID !== workerId || (own !== null && own !== workerId)) {
      const text = `this runner was started to be ${own ?? workerId} (WORKER_ID), not ${settings.WORKER_ID}`;
      say(`${caller} wanted it as ${settings.WORKER_ID}: refused`);
      return refuse('worker_id', text);
    }
    const faults = await this.#parts.faultsOf(settings, caller);
    if (faults.length > 0) {
      const text = `${workerId} cannot work with the settings of this cluster: ${faults.join('; ')}`;
      say(text);
      return refuse('settings', text);
    }
    try {
      await this.#parts.keep(settings);
    } catch (cause) {
      log.error({ err: cause }, 'the settings of the cluster could not be kept');
      return refuse('settings', `${workerId} cannot keep the settings of the cluster: ${messageOf(cause)}`);
    }
    this.#adopted = settings;
    say(`adopted as ${workerId} by ${caller}`);
    return null;
  }
}

const LISTED = { abortEarly: false, errors: { wrap: { label: '"' } } } as const;

const TOO_OFTEN = refuse('token', 'too many wrong tokens from this address: try again in a minute');

function refuse(code: AdoptionRefusalCode, message: string) {
  return { ok: false, refusal: { code, message } } as const;
}

interface Schema<T> {
  validate(body: unknown, how: typeof LISTED): { readonly error?: Error | undefined; readonly value: T };
}

function check<T>(schema: Schema<T>, body: unknown) {
  const { error, value } = schema.validate(body, LISTED);
  if (error) return refuse('invalid_request', error.message);
  return { ok: true, value } as const;
}
