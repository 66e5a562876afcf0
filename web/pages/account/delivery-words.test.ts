import { expect, it } from 'vitest';
import type { DeliveryTryBody } from '../../../shared/contracts/webhooks.ts';
import { outcomeWords } from './delivery-words.ts';

const at = '2026-01-31T12:00:00.000Z';
const good: DeliveryTryBody = { at, took_ms: 5, status: 204, error: null };
const refused: DeliveryTryBody = { at, took_ms: 5, status: 500, error: 'the server answered 500' };
const away: DeliveryTryBody = { at, took_ms: 5, status: null, error: 'connection refused' };

it.each([
  ['delivered', [good], 'delivered (204)'],
  ['delivered', [refused, good], 'delivered after 2 tries (204)'],
  ['failed', [away, refused], 'failed after 2 tries: the server answered 500'],
  ['failed', [], 'failed'],
  ['pending', [], 'about to be sent'],
  ['pending', [away], 'tried once: connection refused'],
  ['pending', [away, away], 'tried 2 times: connection refused'],
] as const)('%s, %j', (state, tries, words) => {
  expect(outcomeWords({ state, tries: [...tries] })).toBe(words);
});
