// What came of a delivery, in words. Pure.

import type { DeliveryBody } from '../../../shared/contracts/webhooks.ts';

export function outcomeWords({ state, tries }: Pick<DeliveryBody, 'state' | 'tries'>): string {
  const last = tries.at(-1);
  const count = tries.length > 1 ? ` after ${tries.length} tries` : '';
  const why = last?.error ?? (last?.status ? `answered ${last.status}` : '');
  switch (state) {
    case 'delivered':
      return `delivered${count}${last?.status ? ` (${last.status})` : ''}`;
    case 'failed':
      return `failed${count}${why ? `: ${why}` : ''}`;
    case 'pending':
      return last
        ? `tried ${tries.length === 1 ? 'once' : `${tries.length} times`}${why ? `: ${why}` : ''}`
        : 'about to be sent';
  }
}
