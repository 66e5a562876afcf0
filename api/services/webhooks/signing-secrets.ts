// The secret that a user's webhooks are signed with. One per user, made when it is first asked for.

import { randomBytes } from 'node:crypto';
import type { WebhookStore } from '../../../shared/ports/store.ts';

/** The Standard Webhooks specification asks for 24 to 64. */
const BYTES = 32;

export class SigningSecrets {
  readonly #store: Pick<WebhookStore, 'signingSecret' | 'replaceSigningSecret'>;

  constructor(store: Pick<WebhookStore, 'signingSecret' | 'replaceSigningSecret'>) {
    this.#store = store;
  }

  /** `whsec_` and base64. */
  of(ownerId: string): Promise<string> {
    return this.#store.signingSecret(ownerId, freshSecret());
  }

  /** A new one. What is sent from now on is signed with it, retries too. */
  async rotate(ownerId: string): Promise<string> {
    const secret = freshSecret();
    await this.#store.replaceSigningSecret(ownerId, secret);
    return secret;
  }
}

function freshSecret(): string {
  return `whsec_${randomBytes(BYTES).toString('base64')}`;
}
