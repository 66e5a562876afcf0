// GET /api/scheduler/decisions: what is in the ring, whole or from an entry on; who may not, and what is no place.

import { afterAll, beforeAll, expect, it } from 'vitest';
import { createClient } from '../../client/client.ts';
import type { DecisionEntryBody } from '../../shared/contracts/decisions.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

let test: TestApi;
let admin: Person;

beforeAll(async () => {
  test = await openTestApi();
  admin = await test.signUp('root');
});
afterAll(() => test?.close());

const PATH = '/api/scheduler/decisions';
const lines = Array.from({ length: 2_300 }, (_, n) =>
  JSON.stringify({ kind: 'note', n, text: 'ü'.repeat(n) }),
);
const entriesOf = (text: string) =>
  text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as DecisionEntryBody]));

it('answers nothing where nothing was decided, then all there is, line by line', async () => {
  const empty = await test.call('GET', PATH, { as: admin });
  expect([empty.status, empty.text, empty.headers['content-type']]).toEqual([
    200,
    '',
    expect.stringContaining('application/x-ndjson'),
  ]);
  await test.redis.decisions.append(lines, 100_000_000);
  const { text } = await test.call('GET', `${PATH}?limit=10000`, { as: admin });
  const entries = entriesOf(text);
  expect(entries.map(({ record }) => record)).toEqual(lines.map((line) => JSON.parse(line)));
  const part = entriesOf(
    (await test.call('GET', `${PATH}?after=${entries[1_499]?.id}&limit=700`, { as: admin })).text,
  );
  expect(part).toEqual(entries.slice(1_500, 2_200));
  const rest = await test.call('GET', `${PATH}?after=${entries.at(-1)?.id}`, { as: admin });
  expect([rest.status, rest.text]).toEqual([200, '']);
});

it('is read by the client to its end', async () => {
  const client = createClient({ url: await test.api.start(), token: admin.token });
  const read: unknown[] = [];
  for await (const { record } of client.decisions()) read.push(record);
  expect(read).toEqual(lines.map((line) => JSON.parse(line)));
});

it('says what is wrong with a question', async () => {
  for (const query of ['after=x', 'after=1-0', 'limit=0', 'limit=10001', 'before=1']) {
    const { status, body } = await test.call<Refused>('GET', `${PATH}?${query}`, { as: admin });
    expect([status, body.code]).toEqual([400, 'invalid_request']);
  }
});
