// Every route of the API, as nobody, as a viewer, as some other user, as the owner and as an admin, against one table, and
// that table against the one in docs/DOCUMENTATION.md. A route that is not in both fails the first tests. Whatever changes
// something must be in the audit log.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AuditListReply } from '../../shared/contracts/audit.ts';
import type { TaskBody } from '../../shared/contracts/http.ts';
import { newTaskId } from '../../shared/platform/ids.ts';
import { documentedCalls, PEOPLE, type Who } from '../support/access-table.ts';
import { makeRegistration } from '../support/tasks.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

interface Row {
  /** As hapi knows it. */
  readonly route: string;
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
  /** Statuses for nobody, a viewer, another user, the owner, an admin. */
  readonly expected: readonly [number, number, number, number, number];
  /** Whoever is let in is refused for what the body says. */
  readonly refusesBody?: true;
  /** Sign-ins end by it: the call is made for somebody who is needed no more. */
  readonly fresh?: true;
}

const TUS = { 'tus-resumable': '1.0.0' };
const NEW_UPLOAD = { ...TUS, 'upload-length': '2', 'upload-metadata': 'path YS50eHQ=' };
const PIECE = { ...TUS, 'upload-offset': '0', 'content-type': 'application/offset+octet-stream' };

// Each call that changes a task gets one of its own, so that the order of rows does not matter.
const TABLE: readonly Row[] = [
  { route: 'POST /api/auth/register', body: { username: 'x' }, expected: [400, 400, 400, 400, 400] },
  { route: 'POST /api/auth/login', body: {}, expected: [400, 400, 400, 400, 400] },
  { route: 'GET /api/auth/me', expected: [401, 200, 200, 200, 200] },
  {
    route: 'POST /api/auth/password',
    body: { current_password: 'not mine', new_password: 'secure456' },
    refusesBody: true,
    expected: [401, 403, 403, 403, 403],
  },
  { route: 'POST /api/auth/logout', fresh: true, expected: [401, 204, 204, 204, 204] },
  { route: 'POST /api/auth/logout-all', fresh: true, expected: [401, 204, 204, 204, 204] },
  { route: 'POST /api/users/{username}/logout', fresh: true, expected: [401, 403, 403, 403, 204] },
  { route: 'GET /api/users', expected: [401, 403, 403, 403, 200] },
  {
    route: 'POST /api/users',
    body: { username: 'carol', password: 'secure456' },
    expected: [401, 403, 403, 403, 201],
  },
  { route: 'GET /api/users/{username}', expected: [401, 403, 403, 403, 200] },
  { route: 'PATCH /api/users/{username}', body: { disabled: false }, expected: [401, 403, 403, 403, 200] },
  { route: 'GET /api/audit', expected: [401, 403, 403, 403, 200] },
  { route: 'GET /api/backup', expected: [401, 403, 403, 403, 200] },
  { route: 'POST /api/restore', body: 'no backup', expected: [401, 403, 403, 403, 400] },
  { route: 'POST /api/auth/tokens', body: { name: 'n' }, expected: [401, 201, 201, 201, 201] },
  { route: 'GET /api/auth/tokens', expected: [401, 200, 200, 200, 200] },
  { route: 'DELETE /api/auth/tokens/{id}', expected: [401, 404, 404, 204, 404] },
  { route: 'POST /api/tasks', body: { docker_image: 'a' }, expected: [401, 403, 201, 201, 201] },
  {
    route: 'POST /api/tasks/batch',
    body: { tasks: [{ docker_image: 'a' }] },
    expected: [401, 403, 201, 201, 201],
  },
  { route: 'POST /api/tasks/states', body: { task_ids: [newTaskId()] }, expected: [401, 200, 200, 200, 200] },
  { route: 'POST /api/tasks/cancel', body: { task_ids: [newTaskId()] }, expected: [401, 403, 202, 202, 202] },
  {
    route: 'POST /api/whatif',
    body: { tasks: [{ docker_image: 'a' }] },
    expected: [401, 200, 200, 200, 200],
  },
  { route: 'GET /api/images', expected: [401, 200, 200, 200, 200] },
  { route: 'GET /api/queue', expected: [401, 200, 200, 200, 200] },
  { route: 'GET /api/scheduler/decisions', expected: [401, 403, 403, 403, 200] },
  { route: 'GET /api/tasks', expected: [401, 200, 200, 200, 200] },
  { route: 'GET /api/tasks/{id}', expected: [401, 200, 404, 200, 200] },
  { route: 'POST /api/tasks/{id}/cancel', expected: [401, 403, 404, 202, 202] },
  { route: 'DELETE /api/tasks/{id}', expected: [401, 403, 404, 202, 202] },
  { route: 'POST /api/tasks/{id}/retry', expected: [401, 403, 404, 201, 201] },
  { route: 'GET /api/tasks/{id}/explain', expected: [401, 200, 404, 200, 200] },
  { route: 'GET /api/tasks/{id}/logs', expected: [401, 200, 404, 200, 200] },
  { route: 'GET /api/tasks/{id}/usage', expected: [401, 200, 404, 200, 200] },
  { route: 'GET /api/tasks/{id}/files', expected: [401, 200, 404, 200, 200] },
  { route: 'GET /api/tasks/{id}/files/{path*}', expected: [401, 200, 404, 200, 200] },
  { route: 'GET /api/tasks/{id}/archive', expected: [401, 200, 404, 200, 200] },
  { route: 'DELETE /api/tasks/{id}/files/{path*}', expected: [401, 403, 404, 204, 204] },
  { route: 'DELETE /api/tasks/{id}/files', expected: [401, 403, 404, 204, 204] },
  // The upload is alice's, and is asked for as hers; everyone puts into a space of their own.
  { route: 'GET /api/files', expected: [401, 200, 200, 200, 200] },
  { route: 'GET /api/files/{path*}', expected: [401, 403, 403, 200, 200] },
  { route: 'PUT /api/files/{path*}', body: 'new', expected: [401, 403, 201, 201, 201] },
  { route: 'DELETE /api/files/{path*}', expected: [401, 403, 403, 204, 204] },
  // An upload that is under way is its sender's alone.
  { route: 'OPTIONS /api/uploads', expected: [204, 204, 204, 204, 204] },
  { route: 'OPTIONS /api/uploads/{id}', expected: [204, 204, 204, 204, 204] },
  { route: 'POST /api/uploads', headers: NEW_UPLOAD, expected: [401, 403, 201, 201, 201] },
  { route: 'GET /api/uploads', expected: [401, 200, 200, 200, 200] },
  { route: 'GET /api/uploads/{id}', headers: TUS, expected: [401, 404, 404, 200, 404] },
  { route: 'PATCH /api/uploads/{id}', headers: PIECE, body: 'ab', expected: [401, 403, 404, 204, 404] },
  { route: 'DELETE /api/uploads/{id}', headers: TUS, expected: [401, 403, 404, 204, 404] },
  {
    route: 'POST /api/webhooks',
    body: { url: 'http://a.example/', events: ['assigned'] },
    expected: [401, 403, 201, 201, 201],
  },
  { route: 'GET /api/webhooks', expected: [401, 200, 200, 200, 200] },
  { route: 'DELETE /api/webhooks/{id}', expected: [401, 403, 404, 204, 404] },
  { route: 'GET /api/webhooks/signing-secret', expected: [401, 403, 200, 200, 200] },
  { route: 'POST /api/webhooks/signing-secret/rotate', expected: [401, 403, 200, 200, 200] },
  { route: 'GET /api/webhooks/deliveries', expected: [401, 200, 200, 200, 200] },
  { route: 'POST /api/webhooks/deliveries/{id}/redeliver', expected: [401, 403, 404, 202, 404] },
  { route: 'GET /workers', expected: [200, 200, 200, 200, 200] },
  { route: 'GET /workers/{id}', expected: [200, 200, 200, 200, 200] },
  // Without a token of the cluster nobody is called.
  {
    route: 'POST /api/workers',
    body: { id: 'w9', address: 'a.example' },
    expected: [401, 403, 403, 403, 409],
  },
  { route: 'POST /api/workers/{id}/cordon', expected: [401, 403, 403, 403, 200] },
  { route: 'POST /api/workers/{id}/uncordon', expected: [401, 403, 403, 403, 200] },
  { route: 'POST /api/workers/{id}/drain', expected: [401, 403, 403, 403, 200] },
  { route: 'DELETE /api/workers/{id}', expected: [401, 403, 403, 403, 204] },
  { route: 'GET /metrics', expected: [200, 200, 200, 200, 200] },
  { route: 'GET /telemetry', expected: [200, 200, 200, 200, 200] },
  { route: 'GET /telemetry/history', expected: [200, 200, 200, 200, 200] },
  { route: 'GET /healthz', expected: [200, 200, 200, 200, 200] },
  { route: 'GET /readyz', expected: [200, 200, 200, 200, 200] },
  { route: 'POST /api/auth/queue-board', expected: [401, 403, 403, 403, 204] },
  { route: '* /queues/{path*}', expected: [401, 403, 403, 403, 405] },
  { route: 'GET /{path*}', expected: [200, 200, 200, 200, 200] },
  { route: '* /{path*}', expected: [404, 404, 404, 404, 404] },
];
/** Of Bull Board; those for jobs are asked for one that is not there. */
const BOARD_PATHS: Readonly<Record<string, number>> = {
  '': 200,
  '/metrics-history': 200,
  '/job-schedulers': 200,
  '/queue/{queueName}': 200,
  '/queue/{queueName}/{jobId}': 200,
  '/static/{param*}': 200,
  '/api/redis/stats': 200,
  '/api/queues': 200,
  '/api/job-schedulers': 200,
  '/api/queues/{queueName}/metrics': 200,
  '/api/queues/{queueName}/default-job-options': 200,
  '/api/queues/{queueName}/workers': 403,
  '/api/queues/{queueName}/rate-limit': 200,
  '/api/queues/{queueName}/job-data-schema': 200,
  '/api/queues/{queueName}/{jobId}/logs': 200,
  '/api/queues/{queueName}/{jobId}/flow': 404,
  '/api/queues/{queueName}/{jobId}': 404,
  '/{path*}': 404,
};
const CLOSED_BY_SETTING = [
  'GET /workers',
  'GET /workers/{id}',
  'GET /metrics',
  'GET /telemetry',
  'GET /telemetry/history',
];

function leavesEntry(route: string, status: number): boolean {
  if (/^(GET|OPTIONS|\*) /.test(route) || NOT_AUDITED.includes(route)) return false;
  // Nothing was tried; of uploads that come in pieces the whole file is told, and no refused piece.
  return status !== 400 && status !== 401 && !(route.startsWith('PATCH /api/uploads/') && status >= 400);
}

/** What an address asks for at least. */
function queryFor(route: string): string {
  return route === 'GET /telemetry/history' ? '?metric=queue_depth' : '';
}

/** No calls for people: those of browsers, and what stands for all the rest. */
const NOT_DOCUMENTED = [
  'OPTIONS /api/uploads',
  'OPTIONS /api/uploads/{id}',
  'GET /{path*}',
  '* /{path*}',
  '* /queues/{path*}',
];

/** POST for what is only asked; and a cancel of a task that nobody has changes nothing. */
const NOT_AUDITED = ['POST /api/tasks/states', 'POST /api/whatif', 'POST /api/tasks/cancel'];

describe.each([['open'], ['required']] as const)('with OBSERVE_AUTH=%s', (observeAuth) => {
  let test: TestApi;
  let people: Record<Who, Person | null>;
  let calls = 0;
  let strangers = 0;

  beforeAll(async () => {
    test = await openTestApi({ env: { OBSERVE_AUTH: observeAuth } });
    const admin = await test.signUp('root');
    const [owner, other] = await Promise.all([test.signUp('alice'), test.signUp('bob')]);
    const viewer = await test.join('vera', { role: 'viewer' });
    people = { nobody: null, viewer, other, owner, admin };
  });
  afterAll(() => test?.close());

  const isClosed = (route: string, who: Who) =>
    observeAuth === 'required' && CLOSED_BY_SETTING.includes(route) && who === 'nobody';

  const board: Row[] = Object.entries(BOARD_PATHS).map(([path, status]) => ({
    route: `GET /queues${path}`,
    expected: [401, 403, 403, 403, status],
  }));
  const table = [...TABLE, ...board];

  it('the table names every route', () => {
    const routes = test.api.server.table().map(({ method, path }) => `${method.toUpperCase()} ${path}`);
    expect(routes.sort()).toEqual(table.map(({ route }) => route).sort());
  });

  it('the document says the same of every route', () => {
    const told = new Map(documentedCalls(observeAuth));
    for (const { route, expected, refusesBody } of table) {
      if (NOT_DOCUMENTED.includes(route) || route.startsWith('GET /queues/')) continue;
      const call = route.replace('{path*}', '{path}');
      const admitted = PEOPLE.filter((who, column) => {
        if (isClosed(route, who)) return false;
        const status = expected[column] ?? 0;
        return status !== 401 && (refusesBody === true || ![403, 404].includes(status));
      });
      expect([call, told.get(call)]).toEqual([call, admitted]);
      told.delete(call);
    }
    expect([...told.keys()]).toEqual([]);
  });

  const cases = table.flatMap((row) =>
    PEOPLE.map((who, column) => {
      return [row.route, who, isClosed(row.route, who) ? 401 : (row.expected[column] ?? 0), row] as const;
    }),
  );

  it.each(cases)('%s as %s is %i', async (route, who, expected, { body, headers, fresh }) => {
    const [method = '', path = ''] = route.split(' ');
    const id = await idFor(path);
    calls += 1;
    const requestId = `walk-${calls}`;
    const as = fresh && people[who] ? await stranger(who) : people[who];
    const reply = await test.call<Refused>(
      method === '*' ? 'POST' : method,
      path
        .replace('{id}', id)
        .replace('{username}', fresh ? (await stranger('other')).username : 'alice')
        .replace('{queueName}', 'intake')
        .replace('{jobId}', 'task-none')
        .replace('{param*}', 'favicon.ico')
        .replace('{path*}', await pathFor(route, id)) + queryFor(route),
      { as, body, headers: { ...headers, 'x-request-id': requestId } },
    );
    expect({ status: reply.status, body: reply.text }).toMatchObject({ status: expected });
    // Bull Board says in its own words what it does not know.
    if (expected >= 400 && !(who === 'admin' && path.startsWith('/queues/api'))) {
      expect(Object.keys(reply.body).sort()).toEqual(['code', 'details', 'error', 'message', 'statusCode']);
      expect(reply.body.statusCode).toBe(expected);
    }
    if (expected === 401) expect(reply.headers['www-authenticate']).toMatch(/^Bearer/);
    if (observeAuth === 'open' && leavesEntry(route, expected)) expect(await isAudited(requestId)).toBe(true);
  });

  /** Somebody of the same kind. */
  function stranger(who: Who): Promise<Person> {
    strangers += 1;
    const role = who === 'admin' || who === 'viewer' ? who : 'user';
    return test.join(`stranger-${strangers}`, { role });
  }

  async function isAudited(requestId: string): Promise<boolean> {
    const { body } = await test.call<AuditListReply>('GET', '/api/audit?limit=5', { as: people.admin });
    return body.entries.some(({ request_id }) => request_id === requestId);
  }

  /** What stands for the rest of the address: a file that is there where one is asked for. */
  async function pathFor(route: string, id: string): Promise<string> {
    if (route === '* /{path*}' || route.includes('/queues/')) return 'nowhere';
    if (route.startsWith('PUT')) return 'new.txt';
    if (!route.includes('/files/')) return '';
    const { files } = test.store;
    const headers = { 'content-type': 'text/plain' };
    await test.call('PUT', '/api/files/a.txt', { as: people.owner, body: 'a', headers });
    if (!route.includes('/tasks/')) return 'a.txt?user=alice';
    const ownerId = people.owner?.id ?? '';
    const upload = await files.find({ ownerId, taskId: null, attempt: null, path: 'a.txt' });
    if (!upload) throw new Error('the upload is not there');
    // The same bytes as an output of the task.
    await files.remove([upload.id]);
    await files.put([{ ...upload, taskId: id, attempt: 1 }]);
    return 'a.txt?attempt=1';
  }

  /** A fresh record of the kind that the address names, owned by alice. */
  async function idFor(path: string): Promise<string> {
    if (path.startsWith('/queues')) return '';
    if (path.includes('tokens')) {
      const { body } = await test.call<{ token_id: string }>('POST', '/api/auth/tokens', {
        as: people.owner,
        body: { name: 'fresh' },
      });
      return body.token_id;
    }
    if (path.includes('uploads')) {
      const reply = await test.call('POST', '/api/uploads', { as: people.owner, headers: NEW_UPLOAD });
      return String(reply.headers.location).split('/').at(-1) ?? '';
    }
    if (path.includes('workers')) {
      await test.store.workers.register(makeRegistration({ id: 'worker-1' }));
      return 'worker-1';
    }
    if (path.includes('deliveries')) {
      const id = newTaskId().replace('task', 'delivery');
      await test.store.webhooks.insertDeliveries([
        {
          id,
          ownerId: people.owner?.id ?? '',
          webhookId: null,
          taskId: newTaskId(),
          event: 'failed',
          // Nobody is to be called from here.
          url: 'http://127.0.0.1:9/',
          payload: '{}',
          state: 'failed',
          tries: [],
          nextAt: 0,
          revision: 1,
          createdAt: 0,
        },
      ]);
      return id;
    }
    if (path.includes('webhooks')) {
      const { body } = await test.call<{ webhook_id: string }>('POST', '/api/webhooks', {
        as: people.owner,
        body: { url: 'http://a.example/', events: ['assigned'] },
      });
      return body.webhook_id;
    }
    const { body } = await test.call<TaskBody>('POST', '/api/tasks', {
      as: people.owner,
      body: { docker_image: 'a' },
    });
    return body.task_id;
  }
});
