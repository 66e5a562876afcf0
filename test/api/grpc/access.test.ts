// Every method that is served over gRPC, streams too, as nobody, as a viewer, as some other user, as the owner and as an
// admin, against the table in docs/DOCUMENTATION.md. A method that is not in both the table and the list of requests here
// fails. Whatever changes something must be in the audit log.

import { resolve } from 'node:path';
import {
  credentials,
  Metadata,
  type MethodDefinition,
  makeGenericClientConstructor,
  status,
} from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { protoPath as healthProto } from 'grpc-health-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditListReply } from '../../../shared/contracts/audit.ts';
import { documentedMethods, PEOPLE, type Who } from '../../support/access-table.ts';
import { freePort } from '../../support/cluster.ts';
import { openTestApi, type Person, type TestApi } from '../harness.ts';

const REFLECTION = resolve(
  import.meta.dirname,
  '../../../node_modules/@grpc/reflection/build/proto/grpc/reflection',
);
const OPTIONS = { keepCase: true, longs: Number, enums: String };
const definitions = [
  resolve(import.meta.dirname, '../../../shared/contracts/cloudai.proto'),
  healthProto,
  `${REFLECTION}/v1/reflection.proto`,
  `${REFLECTION}/v1alpha/reflection.proto`,
].flatMap((file) => Object.values(loadSync(file, OPTIONS)));
const methods = new Map(
  definitions
    .filter((one) => !('format' in one))
    .flatMap((service) => Object.values(service as Record<string, MethodDefinition<object, object>>))
    .map((method) => [method.path.slice(1), method]),
);

interface Ask {
  readonly name: string;
  /** What is sent; a task of the owner is there for it. */
  readonly of?: (taskId: string) => object;
  readonly leavesEntry?: true;
}

const ofTask = (taskId: string) => ({ task_id: taskId });
const listing = () => ({ list_services: '' });
const ASKS: readonly Ask[] = [
  { name: 'cloudai.v1.CloudAI/SubmitTask', of: () => ({ docker_image: 'a' }), leavesEntry: true },
  { name: 'cloudai.v1.CloudAI/GetTask', of: ofTask },
  { name: 'cloudai.v1.CloudAI/ListTasks' },
  { name: 'cloudai.v1.CloudAI/CancelTask', of: ofTask, leavesEntry: true },
  { name: 'cloudai.v1.CloudAI/WatchTask', of: ofTask },
  { name: 'cloudai.v1.CloudAI/ListWorkers' },
  { name: 'cloudai.v1.CloudAI/WatchTelemetry' },
  { name: 'grpc.health.v1.Health/Check' },
  { name: 'grpc.health.v1.Health/List' },
  { name: 'grpc.health.v1.Health/Watch' },
  { name: 'grpc.reflection.v1.ServerReflection/ServerReflectionInfo', of: listing },
  { name: 'grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo', of: listing },
];

const REFUSED: readonly number[] = [status.UNAUTHENTICATED, status.PERMISSION_DENIED, status.NOT_FOUND];
const Client = makeGenericClientConstructor({}, 'any');

describe.each([['open'], ['required']] as const)('with OBSERVE_AUTH=%s', (observeAuth) => {
  let test: TestApi;
  let client: InstanceType<typeof Client>;
  let people: Record<Who, Person | null>;
  let calls = 0;

  beforeAll(async () => {
    test = await openTestApi({ env: { OBSERVE_AUTH: observeAuth, GRPC_PORT: String(await freePort()) } });
    await test.api.start();
    client = new Client(`127.0.0.1:${test.api.grpcPort}`, credentials.createInsecure());
    const [admin, owner, other, viewer] = await Promise.all([
      test.join('root', { role: 'admin' }),
      test.join('alice'),
      test.join('bob'),
      test.join('vera', { role: 'viewer' }),
    ]);
    people = { nobody: null, viewer, other, owner, admin };
  });
  afterAll(async () => {
    client?.close();
    await test?.close();
  });

  const documented = documentedMethods(observeAuth);

  it('the document has every method that is served, and so has this list', () => {
    const served = [...test.api.grpcMethods].sort();
    expect(served.length).toBeGreaterThan(0);
    expect([...documented.keys()].sort()).toEqual(served);
    expect(ASKS.map(({ name }) => name).sort()).toEqual(served);
  });

  const cases = ASKS.flatMap((ask) =>
    PEOPLE.map((who) => [ask.name, who, documented.get(ask.name)?.includes(who) ?? false, ask] as const),
  );

  it.each(cases)('%s as %s: %s', async (name, who, isAdmitted, { of, leavesEntry }) => {
    calls += 1;
    const requestId = `walk-${calls}`;
    const code = await firstAnswer(name, of?.(await freshTask()) ?? {}, people[who], requestId);
    if (isAdmitted) expect(status[code]).toBe('OK');
    else expect(REFUSED.map((one) => status[one])).toContain(status[code]);
    if (who === 'nobody' && !isAdmitted) expect(code).toBe(status.UNAUTHENTICATED);
    // Also what was refused, but of somebody who is known.
    if (leavesEntry && who !== 'nobody') expect(await isAudited(requestId)).toBe(true);
  });

  /** OK once an answer is there; of a stream the first one is enough. */
  function firstAnswer(name: string, request: object, as: Person | null, requestId: string): Promise<number> {
    const method = methods.get(name);
    if (!method) throw new Error(`no .proto file has ${name}`);
    const metadata = new Metadata();
    metadata.set('x-request-id', requestId);
    if (as) metadata.set('authorization', `Bearer ${as.token}`);
    const call = client.makeBidiStreamRequest(
      method.path,
      method.requestSerialize,
      method.responseDeserialize,
      metadata,
      { deadline: Date.now() + 20_000 },
    );
    call.write(request);
    call.end();
    return new Promise((done) => {
      call.once('data', () => {
        done(status.OK);
        call.cancel();
      });
      call.once('error', ({ code }: Error & { code?: number }) => done(code ?? status.UNKNOWN));
    });
  }

  async function freshTask(): Promise<string> {
    const { body } = await test.call<{ task_id: string }>('POST', '/api/tasks', {
      as: people.owner,
      body: { docker_image: 'a' },
    });
    return body.task_id;
  }

  async function isAudited(requestId: string): Promise<boolean> {
    const { body } = await test.call<AuditListReply>('GET', '/api/audit?limit=5', { as: people.admin });
    return body.entries.some(({ request_id }) => request_id === requestId);
  }
});
