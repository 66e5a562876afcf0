// One try to take in a runner that waits at an address: the API's half of the exchange in shared/contracts/adoption.ts.
// Sends no setting before the runner has proved that it holds the cluster's token. Keeps nothing, writes no record.

import type Joi from 'joi';
import {
  ADOPTION_VERSION,
  type AdoptionRefusal,
  type ClusterSettings,
  type HelloRequest,
  type SettingsRequest,
} from '../../../shared/contracts/adoption.ts';
import {
  adoptionRefusalSchema,
  helloReplySchema,
  settingsReplySchema,
} from '../../../shared/contracts/adoption-reply-schemas.ts';
import { AppError } from '../../../shared/errors.ts';
import type { RegistrationFault } from '../../../shared/model/registration.ts';
import { addressText, type WorkerAddress } from '../../../shared/model/worker-address.ts';
import {
  isProof,
  newKeyShare,
  prove,
  seal,
  type Transcript,
} from '../../../shared/platform/adoption-proof.ts';
import { askPeer, NoAnswer, NotARunner, type PeerReply } from './peer.ts';

export interface AdopterPace {
  readonly connectMs: number;
  /** For the first answer, which takes a runner no time. */
  readonly helloMs: number;
  /** For the second one: the runner tries the store and Redis before it gives it. */
  readonly settingsMs: number;
}

export interface Adoption {
  readonly id: string;
  readonly address: WorkerAddress;
  readonly token: string;
  readonly settings: ClusterSettings;
  /** Asked right before settings are sent: the admin may have changed their mind. */
  readonly isWanted: () => Promise<boolean>;
  /** Gives it up; nothing is known then of what the runner has got. */
  readonly signal: AbortSignal;
}

/** The runner does not want to, or must not be wanted. */
class Refused extends Error {}
/** Not now. */
class NotNow extends Error {}

/** @throws AppError of the store; everything that the other side does is an outcome */
export async function adopt(adoption: Adoption, pace: AdopterPace): Promise<RegistrationFault> {
  const at = addressText(adoption.address);
  try {
    await exchange(adoption, at, pace);
    return { code: 'starting', message: `the runner at ${at} has joined; waiting for it to come up` };
  } catch (error) {
    if (error instanceof NoAnswer) {
      const message = `nobody answers at ${at}: ${error.message}; a runner there must be started with --wait`;
      return { code: 'no_answer', message };
    }
    if (error instanceof NotARunner) {
      const message = `what answers at ${at} is no runner that waits to be registered: start one with --wait, or correct the address`;
      return { code: 'refused', message };
    }
    if (error instanceof NotNow) return { code: 'no_answer', message: error.message };
    if (error instanceof Refused) return { code: 'refused', message: error.message };
    throw error;
  }
}

async function exchange(adoption: Adoption, at: string, pace: AdopterPace): Promise<void> {
  const { id, address, token, settings, isWanted, signal } = adoption;
  const { connectMs, helloMs, settingsMs } = pace;
  const mine = newKeyShare();
  const hello: HelloRequest = {
    version: ADOPTION_VERSION,
    worker_id: id,
    address: at,
    nonce: mine.nonce,
    public_key: mine.publicKey,
  };
  const ask = { address, connectMs, signal };
  const first = await askPeer({ ...ask, path: '/adoption/hello', body: hello, answerMs: helloMs });
  const theirs = accepted(first, helloReplySchema, at);
  const transcript: Transcript = {
    version: ADOPTION_VERSION,
    workerId: id,
    address: at,
    apiNonce: mine.nonce,
    apiPublicKey: mine.publicKey,
    runnerNonce: theirs.nonce,
    runnerPublicKey: theirs.public_key,
  };
  if (!isProof(theirs.proof, token, 'runner', transcript)) throw new Refused(wrongToken(at));
  if (!(await isWanted())) throw new NotNow(`${at} is no longer wanted`);
  const body: SettingsRequest = {
    nonce: theirs.nonce,
    proof: prove(token, 'api', transcript),
    sealed: sealed(() => seal(settings, token, mine, theirs.public_key, transcript)),
  };
  const second = await askPeer({ ...ask, path: '/adoption/settings', body, answerMs: settingsMs });
  const { proof } = accepted(second, settingsReplySchema, at);
  if (!isProof(proof, token, 'accepted', transcript)) throw new Refused(wrongToken(at));
}

/** A proof over a key that is none can be right, when whoever holds the token makes it so. */
function sealed<T>(make: () => T): T {
  try {
    return make();
  } catch (error) {
    if (error instanceof AppError) throw new NotARunner();
    throw error;
  }
}

function accepted<T>({ status, body }: PeerReply, schema: Joi.ObjectSchema<T>, at: string): T {
  if (status !== 200) {
    const { error, value } = adoptionRefusalSchema.validate(body);
    throw error ? new NotARunner() : refusal(value, at);
  }
  const { error, value } = schema.validate(body, { convert: false });
  if (error) throw new NotARunner();
  return value;
}

function wrongToken(at: string): string {
  return `the runner at ${at} does not hold this cluster's token: start it with the CLUSTER_TOKEN of the API`;
}

function refusal({ code, message }: AdoptionRefusal, at: string): Error {
  const says = plain(message) === '' ? '' : `: "${plain(message)}"`;
  switch (code) {
    case 'token':
      return new Refused(`${wrongToken(at)}${says}`);
    case 'version':
      return new Refused(`the runner at ${at} is of another release: bring it and the API to the same one`);
    case 'adopted':
      return new Refused(`the runner at ${at} is already part of a cluster${says}`);
    case 'worker_id':
      return new Refused(`the runner at ${at} is to be another worker${says}`);
    case 'settings':
      return new Refused(`the runner at ${at} cannot join this cluster${says}`);
    case 'invalid_request':
      return new Refused(`the runner at ${at} does not understand this cluster${says}`);
    case 'expired':
      return new NotNow(`the runner at ${at} has waited too long for this cluster`);
  }
}

/** Leaves room for ours in a reply of the API. */
const MESSAGE_MAX_CHARS = 400;

/** Words of a stranger, fit for a terminal and a page. */
function plain(text: string): string {
  const clean = text.replace(/[\p{C}\s]+/gu, ' ').trim();
  return clean.length > MESSAGE_MAX_CHARS ? `${clean.slice(0, MESSAGE_MAX_CHARS)}…` : clean;
}
