import { describe, expect, it } from 'vitest';
import { createLog } from './log.ts';
import { CENSORED, SECRET_FIELDS } from './log-safety.ts';

const LEAK = 'hunter2-hunter2';

function written(say: (log: ReturnType<typeof createLog>) => void): {
  text: string;
  line: Record<string, never>;
} {
  const lines: string[] = [];
  say(createLog('test', 'trace', { write: (line) => void lines.push(line) }));
  const text = lines.join('');
  return { text, line: JSON.parse(lines.at(-1) ?? '{}') };
}

describe('what never reaches a log', () => {
  const spellings = (name: string) => {
    const snake = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
    return [name, snake, snake.replaceAll('_', '-'), name.toUpperCase(), snake.toUpperCase()];
  };
  /** As they are called in requests, records and settings, whatever the list of the code says. */
  const inUse = [
    ...['password', 'current_password', 'new_password', 'passwordHash', 'redisPassword', 'token'],
    ...['authorization', 'cookie', 'set-cookie', 'env', 'secrets', 'secret', 'signing_secret', 'jwtSecret'],
    ...['JWT_SECRET', 'CLUSTER_TOKEN', 'clusterToken', 'x-registry-auth', 'webhook-signature', 'credentials'],
  ];
  const everyName = [...new Set([...inUse, ...SECRET_FIELDS.flatMap(spellings)])];

  it.each(everyName)('a value under %s, at any depth, in an error and in a child', (name) => {
    const failed = Object.assign(new Error('refused'), { config: { headers: { [name]: LEAK } } });
    const { text } = written((log) => {
      log.info({ [name]: LEAK }, 'top');
      log.info({ body: { [name]: { inner: LEAK } } }, 'one down');
      log.info({ request: { headers: [{ [name]: [LEAK] }] } }, 'in a list');
      log.warn({ err: failed }, 'in an error');
      log.warn({ err: new Error('outer', { cause: failed }) }, 'in its cause');
      log.child({ [name]: LEAK }).info('in a child');
      log.error(failed);
    });
    expect(text).not.toContain(LEAK);
    expect(text.split(CENSORED).length).toBeGreaterThan(5);
  });

  it.each([
    ['a connection string', `redis://:${LEAK}@db.example:6379`],
    ['a connection string with a user', `mongodb://root:${LEAK}@db.example/cloudai`],
    ['a header', `Authorization: Bearer ${LEAK}`],
    ['an API token', `cloudai_${'a'.repeat(20)}${LEAK}${'b'.repeat(20)}`],
    ['a signing secret', `whsec_${LEAK}`],
    ['a sign-in', `eyJhbGciOiJIUzI1.eyJzdWIiOiJ1c2Vy.${LEAK}`],
  ])('%s in the text of a message or of an error', (_what, said) => {
    const { text } = written((log) => {
      log.info(`asked with ${said} in it`);
      log.info({ url: said }, 'a field');
      log.warn({ err: new Error(`cannot reach ${said}`) }, 'an error');
    });
    expect(text).not.toContain(LEAK);
    expect(text).toContain(CENSORED);
  });
});

it('ids go by one name in every log, and nothing else is changed', () => {
  const fields = { requestId: 'r', taskId: 't', attempt: 2, workerId: 'w', path: '/x', list: [1, 'two'] };
  const { line } = written((log) => log.info(fields, 'said'));
  expect(line).toMatchObject({
    service: 'test',
    level: 'info',
    msg: 'said',
    request_id: 'r',
    task_id: 't',
    attempt: 2,
    worker_id: 'w',
    path: '/x',
    list: [1, 'two'],
  });
  expect(Object.keys(line)).not.toContain('taskId');
});

it('an error keeps its message, stack and code', () => {
  const { line } = written((log) =>
    log.warn({ err: Object.assign(new Error('no room'), { code: 'ENOSPC' }) }, 'm'),
  );
  expect(line.err).toMatchObject({ type: 'Error', message: 'no room', code: 'ENOSPC' });
});

it('what has no end is cut off', () => {
  const loop: Record<string, unknown> = {};
  loop.self = loop;
  const { text } = written((log) => log.info({ loop, many: Array.from({ length: 10_000 }, () => 'x') }, 'm'));
  expect(text.length).toBeLessThan(2_000);
});
