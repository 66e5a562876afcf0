// An API on a real store, real logs on disk and a real Redis, for tests that call it with `inject` or over a socket.

import { scryptSync } from 'node:crypto';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import type { ServerInjectResponse } from '@hapi/hapi';
import { Redis } from 'ioredis';
import { type Api, createApi } from '../../api/server.ts';
import { KnownUsers } from '../../api/services/known-users.ts';
import { PasswordHasher } from '../../api/services/passwords.ts';
import { Sessions } from '../../api/services/sessions.ts';
import { SigningKeys } from '../../api/services/signing-keys.ts';
import type { ApiParts } from '../../api/services.ts';
import { openDiskFileStore } from '../../shared/adapters/disk/file-store.ts';
import { openDiskLogStore } from '../../shared/adapters/disk/log-store.ts';
import { openSqliteStore } from '../../shared/adapters/sqlite/open.ts';
import type { ErrorBody, TaskBody } from '../../shared/contracts/http.ts';
import { newUser, type User } from '../../shared/model/user.ts';
import { systemClock } from '../../shared/platform/clock.ts';
import { type ApiConfig, loadApiConfig } from '../../shared/platform/config/api.ts';
import { newId } from '../../shared/platform/ids.ts';
import { silentLog } from '../../shared/platform/log.ts';
import type { LogStore } from '../../shared/ports/log-store.ts';
import type { Store } from '../../shared/ports/store.ts';
import { apiPartsOn, openRedis, type RedisParts } from '../../shared/wiring/open-redis.ts';
import { holdToDocument } from '../support/document-check.ts';
import { redisUrl, tempDir, uniqueName } from '../support/servers.ts';

export const JWT_SECRET = 'a-secret-of-the-api-tests-'.repeat(2);
export const PASSWORD = 'secure123';

export interface TestApi {
  readonly api: Api;
  readonly store: Store;
  readonly logs: LogStore;
  readonly redis: RedisParts;
  readonly config: ApiConfig;
  /** Another API on the same store, with connections of its own to the same Redis. Not listening yet. */
  copy(port?: number, grpcPort?: number | null): Promise<ApiCopy>;
  /** Of all its keys in Redis. */
  readonly prefix: string;
  call<T = never>(method: string, path: string, options?: CallOptions): Promise<TestReply<T>>;
  /** Registers, and has a token without the slow hash of a login. The first of all is the admin. */
  signUp(username: string): Promise<Person>;
  /** Put straight into the store, with `PASSWORD` under a hash that costs next to nothing. */
  join(username: string, over?: Partial<User>): Promise<Person>;
  close(): Promise<void>;
}

export interface ApiCopy {
  readonly api: Api;
  close(): Promise<void>;
}

export interface CallOptions {
  readonly as?: Person | string | null | undefined;
  /** Sent as JSON; text is sent as it stands. */
  readonly body?: unknown;
  readonly headers?: Record<string, string>;
}

export interface TestReply<T> {
  readonly status: number;
  /** Parsed when it is JSON. */
  readonly body: T;
  readonly text: string;
  readonly headers: ServerInjectResponse['headers'];
}

export interface Person {
  readonly id: string;
  readonly username: string;
  readonly token: string;
}

export type Refused = ErrorBody;
export type Seen = TaskBody;

export interface TestApiOptions {
  readonly env?: Record<string, string>;
  readonly redisUrl?: string;
  readonly parts?: (parts: ApiParts) => Partial<ApiParts>;
  /** Passwords cost as much as they do for real. */
  readonly slowHashes?: boolean;
  /** Another copy of the same cluster, to be closed before that one. */
  readonly beside?: TestApi;
}

export async function openTestApi(options: TestApiOptions = {}): Promise<TestApi> {
  const { beside } = options;
  const directory = beside ? { path: beside.config.dataDir, remove: async () => undefined } : await tempDir();
  const config = loadApiConfig({
    DATA_DIR: directory.path,
    JWT_SECRET,
    HOST: '127.0.0.1',
    PORT: '0',
    GRPC_PORT: 'off',
    WEB_DIR: `${directory.path}/web`,
    ...options.env,
  });
  const log = silentLog();
  const store = await openSqliteStore(`${directory.path}/cloudai.db`);
  const logs = openDiskLogStore(`${directory.path}/files`);
  const files = await openDiskFileStore(`${directory.path}/files`);
  const prefix = beside?.prefix ?? uniqueName('api');
  const toRedis = { url: options.redisUrl ?? redisUrl, prefix, patience: 'fail-fast', log } as const;
  const redis = await openRedis(toRedis);
  const partsOn = (redis: RedisParts): ApiParts => ({
    config,
    store,
    logs,
    files,
    log,
    ...apiPartsOn(redis, config),
    clock: systemClock,
    ...(options.slowHashes ? {} : { hasher: new PasswordHasher({ log2Cost: 4 }) }),
  });
  const parts = partsOn(redis);
  const sessions = new Sessions({
    users: store.users,
    known: new KnownUsers(store.users, systemClock),
    keys: new SigningKeys([JWT_SECRET]),
    ttlSeconds: 600,
    clock: systemClock,
    log,
  });
  const api = await createApi({ ...parts, ...options.parts?.(parts) });
  holdToDocument(api.server);

  const call = async <T>(method: string, path: string, how: CallOptions = {}): Promise<TestReply<T>> => {
    const token = typeof how.as === 'object' && how.as !== null ? how.as.token : how.as;
    const response = await api.server.inject({
      method,
      url: path,
      headers: {
        ...(token ? { authorization: `Bearer ${token}` } : {}),
        ...(how.body === undefined ? {} : { 'content-type': 'application/json' }),
        ...how.headers,
      },
      ...(how.body === undefined
        ? {}
        : { payload: typeof how.body === 'string' ? how.body : JSON.stringify(how.body) }),
    });
    const isJson = String(response.headers['content-type']).includes('application/json');
    return {
      status: response.statusCode,
      body: (isJson ? JSON.parse(response.payload) : response.payload) as T,
      text: response.payload,
      headers: response.headers,
    };
  };

  return {
    api,
    store,
    logs,
    redis,
    config,
    copy: async (port = 0, grpcPort = null) => {
      const own = await openRedis(toRedis);
      const its = partsOn(own);
      const copy = await createApi({
        ...its,
        ...options.parts?.(its),
        config: { ...config, port, grpcPort },
      });
      holdToDocument(copy.server);
      return {
        api: copy,
        close: async () => {
          await copy.stop();
          await own.close();
        },
      };
    },
    prefix,
    call,
    signUp: async (username) => {
      const credentials = { username, password: PASSWORD };
      const registered = await call<{ user_id: string }>('POST', '/api/auth/register', { body: credentials });
      if (registered.status !== 201) throw new Error(`not registered: ${registered.text}`);
      const user = await store.users.get(registered.body.user_id);
      if (!user) throw new Error(`${username} is not in the store`);
      return { id: user.id, username, token: sessions.issue(user).token };
    },
    join: async (username, over = {}) => {
      const bare = {
        id: newId('user'),
        username,
        passwordHash: cheapHash(),
        role: 'user',
        createdAt: 1,
      } as const;
      const user = { ...newUser(bare), ...over };
      if (!(await store.users.insert(user))) throw new Error(`there is a ${username} already`);
      return { id: user.id, username, token: sessions.issue(user).token };
    },
    close: async () => {
      await api.stop();
      await redis.close();
      if (!beside) await forgetKeys(prefix);
      await store.close();
      await directory.remove();
    },
  };
}

/** A hash names its own cost. */
function cheapHash(): string {
  const text = (bytes: Buffer) => bytes.toString('base64').replace(/=+$/, '');
  const salt = Buffer.alloc(16, 1);
  const key = scryptSync(PASSWORD, salt, 32, { N: 16, r: 8, p: 1 });
  return `$scrypt$ln=4,r=8,p=1$${text(salt)}$${text(key)}`;
}

/** Leaves nothing behind in a Redis that others use too. */
async function forgetKeys(prefix: string): Promise<void> {
  const client = new Redis(redisUrl);
  for await (const keys of client.scanStream({ match: `${prefix}*`, count: 1_000 })) {
    if (keys.length > 0) await client.unlink(...keys);
  }
  await client.quit();
}

/** How many tasks there are, of all users. */
export async function countTasks(store: Store): Promise<number> {
  return Object.values(await store.tasks.countByState()).reduce((sum, count) => sum + count, 0);
}

export async function userOf(store: Store, person: Person): Promise<User> {
  const user = await store.users.get(person.id);
  if (!user) throw new Error(`no user ${person.id}`);
  return user;
}

export interface RedisLine {
  readonly url: string;
  /** Drops all connections and takes no new ones. */
  cut(): Promise<void>;
  mend(): Promise<void>;
}

/** A way to the real Redis that can be cut. */
export async function openRedisLine(): Promise<RedisLine> {
  const target = new URL(redisUrl);
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(Number(target.port || 6379), target.hostname);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.pipe(other);
      one.on('error', () => undefined);
      one.on('close', () => {
        sockets.delete(one);
        other.destroy();
      });
    }
  });
  const listen = (port: number) => new Promise<void>((done) => server.listen(port, '127.0.0.1', done));
  await listen(0);
  const { port } = server.address() as AddressInfo;
  return {
    url: `redis://127.0.0.1:${port}`,
    cut: async () => {
      const closed = new Promise((done) => server.close(done));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    mend: () => listen(port),
  };
}
