// What may stand in a log, and under which names. Secrets go by the names of their fields, wherever they stand, and by what
// they look like in text. Pure, and quick: it looks at every line. (pino's own `redact` takes paths; with as many names at
// as many depths it makes a line ten times as dear.)

export const CENSORED = '********';

/** Fields whose values never reach a log, without regard to case, `_` and `-`. */
export const SECRET_FIELDS: readonly string[] = [
  'accessToken',
  'apiKey',
  'apiToken',
  'authorization',
  'clusterToken',
  'cookie',
  'credentials',
  'currentPassword',
  'env',
  'environment',
  'jwt',
  'jwtSecret',
  'jwtKeys',
  'newPassword',
  'passphrase',
  'passwd',
  'password',
  'passwordHash',
  'privateKey',
  'proxyAuthorization',
  'redisPassword',
  'secret',
  'secrets',
  'setCookie',
  'signingSecret',
  'token',
  'tokenHash',
  'webhookSignature',
  'xApiKey',
  'xRegistryAuth',
];

/** How ids are called in every log; in code they are in camelCase. */
const RENAMED: Readonly<Record<string, string>> = {
  requestId: 'request_id',
  taskId: 'task_id',
  workerId: 'worker_id',
  userId: 'user_id',
  traceId: 'trace_id',
};

const SECRET = new Set(SECRET_FIELDS.map(plain));
/** Deeper than anything that is logged on purpose. */
const MOST_DEPTH = 6;
const MOST_ITEMS = 100;

/** Names are few and come again and again. */
const judged = new Map<string, boolean>();
const MOST_JUDGED = 5_000;

function isSecret(name: string): boolean {
  let known = judged.get(name);
  if (known === undefined) {
    known = SECRET.has(plain(name));
    if (judged.size < MOST_JUDGED) judged.set(name, known);
  }
  return known;
}

function plain(name: string): string {
  return name.toLowerCase().replace(/[_-]/g, '');
}

/** The fields of one line as they may be written. */
export function safeFields(fields: Record<string, unknown>): Record<string, unknown> {
  const safe: Record<string, unknown> = {};
  for (const name of Object.keys(fields)) {
    safe[RENAMED[name] ?? name] = isSecret(name) ? CENSORED : safeValue(fields[name], 1);
  }
  return safe;
}

/** Copies only what holds a secret. Errors are left to their serializer, which calls this again. */
export function safeValue(value: unknown, depth = 0): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Error) return value;
  if (depth > MOST_DEPTH) return '(too deep to be shown)';
  if (Array.isArray(value)) {
    const items = value.length > MOST_ITEMS ? value.slice(0, MOST_ITEMS) : value;
    return items.map((item) => safeValue(item, depth + 1));
  }
  // Buffers, dates and the like say for themselves how they are written.
  const prototype = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null && 'toJSON' in value) return value;
  const safe: Record<string, unknown> = {};
  for (const [name, one] of Object.entries(value)) {
    safe[name] = isSecret(name) ? CENSORED : safeValue(one, depth + 1);
  }
  return safe;
}

/** Who signs in with what, in addresses: `redis://:password@host`. */
const USER_INFO = /:\/\/[^\s/@"'<>]*@/g;
const BEARER = /\b(bearer|basic) +[\w.~+/=-]{6,}/gi;
/** API tokens, secrets that sign webhooks, and sign-ins (JWT), wherever they stand. */
const OUR_TOKENS = /\b(?:cloudai_[\w-]{30,}|whsec_[\w+/=-]+|eyJ[\w-]{8,}\.[\w-]{8,}\.[\w-]+)/g;
const IN_DOUBT = /:\/\/|bearer |basic |cloudai_|whsec_|eyJ/i;

/** A whole line, as it is about to be written. */
export function safeText(line: string): string {
  if (!IN_DOUBT.test(line)) return line;
  return line
    .replace(USER_INFO, `://${CENSORED}@`)
    .replace(BEARER, `$1 ${CENSORED}`)
    .replace(OUR_TOKENS, CENSORED);
}
