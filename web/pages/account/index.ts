// What the page is made of.

import { CopyButton } from '../../elements/copy-button.ts';
import type { Elements } from '../../elements/define.ts';
import { EndSignIns } from '../../elements/end-sign-ins.ts';
import { QuotaBars } from '../../elements/quota-bars.ts';
import { AccountPage } from './account-page.ts';
import { AccountProfile } from './account-profile.ts';
import { ApiTokens } from './api-tokens.ts';
import { ChangePassword } from './change-password.ts';
import { OwnSignIns } from './own-sign-ins.ts';
import { OwnWebhooks } from './own-webhooks.ts';
import { SigningSecret } from './signing-secret.ts';
import { WebhookDeliveries } from './webhook-deliveries.ts';

export const elements: Elements = {
  'copy-button': CopyButton,
  'end-sign-ins': EndSignIns,
  'quota-bars': QuotaBars,
  'account-profile': AccountProfile,
  'change-password': ChangePassword,
  'api-tokens': ApiTokens,
  'own-sign-ins': OwnSignIns,
  'own-webhooks': OwnWebhooks,
  'signing-secret': SigningSecret,
  'webhook-deliveries': WebhookDeliveries,
  'account-page': AccountPage,
};
