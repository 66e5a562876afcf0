// The prompt in-process: lines are handed to it one by one, a small real API answers.

import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage } from '../../test/support/cli-stage.ts';
import {
  makeTaskBody,
  makeWorkerBody,
  refusal,
  Status,
  startSmallApi,
  TASK_ID,
} from '../../test/support/small-api.ts';
import type { CliIo } from '../io.ts';
import { promptSettings } from '../program.ts';
import type { ReadOptions } from './line-reader.ts';
import { type PromptTerminal, runPrompt } from './prompt.ts';

let stage: CliStage;
let api: CliStage['api'];

/** Ctrl-C while a command runs. */
let interrupt = () => {};

beforeEach(async () => {
  stage = await openCliStage();
  ({ api } = stage);
  api.on('GET /api/auth/me', () => ({ username: 'alice', role: 'admin' }));
  api.on('GET /telemetry', () => ({
    workers_by_state: { ready: 2, cordoned: 1, draining: 0, down: 0 },
    tasks_by_state: { queued: 3, assigned: 1, running: 4, completed: 0, failed: 0, cancelled: 0 },
  }));
  api.on('GET /workers', () => ({ workers: [makeWorkerBody()] }));
});
afterEach(() => stage.close());

type Step = string | ((options: ReadOptions) => Promise<string>);

interface Held {
  /** All that was said, and each line that was read. */
  readonly said: string;
  readonly code: number;
}

/** Types each line in turn, then Ctrl-D. */
async function type(
  steps: readonly Step[],
  { argv = [] as string[], env = {}, answers = [] as string[] } = {},
): Promise<Held> {
  let said = '';
  const left = [...steps];
  const io = (controller: AbortController): CliIo => {
    const say = async (text: string) => {
      said += text;
    };
    return {
      out: say,
      err: say,
      env: { CLOUDAI_URL: api.url, CLOUDAI_TOKEN: 'a-token', XDG_CONFIG_HOME: stage.home, ...env },
      columns: 80,
      color: false,
      progress: true,
      interactive: true,
      signal: controller.signal,
      ask: async () => answers.shift() ?? '',
      readInput: async () => 'from the keyboard',
      now: () => Date.parse('2026-01-01T10:01:00.000Z'),
    };
  };
  const terminal: PromptTerminal = {
    read: async (options) => {
      const step = left.shift();
      if (step === undefined) return { kind: 'left' };
      const text = typeof step === 'string' ? step : await step(options);
      said += `${options.prompt}${text}\n`;
      return { kind: 'line', text };
    },
    io,
    onInterrupt: (listener) => {
      interrupt = listener;
      return () => {
        interrupt = () => {};
      };
    },
  };
  const settings = promptSettings(argv);
  if (settings === null) throw new Error('these words are a command');
  const code = await runPrompt(terminal, '1.2.3', settings);
  return { said, code };
}

describe('the greeting', () => {
  const greeting = async (world = {}) => (await type([], world)).said.split('\n')[0];

  it('says where one is, as whom, and what goes on there', async () => {
    expect(await greeting()).toBe(
      `CloudAI at ${api.url}, signed in as alice (admin): 3 workers (2 ready), 4 running, 4 waiting.`,
    );
  });

  it('says that one is not signed in, and what it may not see is left out', async () => {
    api.on('GET /api/auth/me', () => refusal(401, 'unauthenticated', 'sign in first'));
    api.on('GET /telemetry', () => refusal(401, 'unauthenticated', 'sign in first'));
    expect(await greeting()).toContain(`CloudAI at ${api.url}, not signed in (login, or register-user).`);
  });

  it('says that nothing is there, and the prompt opens all the same', async () => {
    const gone = await startSmallApi();
    await gone.close();
    const { said, code } = await type(['help exit'], { argv: ['--url', gone.url] });
    expect(said).toContain(`cannot reach ${gone.url}: connection refused.\n`);
    expect(said).toContain('Usage: cloudai exit|quit');
    expect(code).toBe(0);
  });

  it('says what is wrong with the profile, and the prompt opens all the same', async () => {
    await mkdir(join(stage.home, 'cloudai'));
    await writeFile(stage.profileFile, '{');
    const { said, code } = await type(['help exit']);
    expect(said).toMatch(/config.json is not JSON\nRemove it and sign in again.\n[\s\S]*Usage: cloudai exit/);
    expect(code).toBe(0);
  });
});

describe('a line', () => {
  it('is run like the words of a shell, with or without the program’s name', async () => {
    api.on('POST /api/tasks', () => new Status(201, makeTaskBody()));
    const { said } = await type([`cloudai task 'py:3' -cpu_cores 2 -name "a b" -- echo "x  y" '#z' -name`]);
    expect(said).toContain(`master> cloudai task`);
    expect(said).toContain(`${TASK_ID} is queued.\n`);
    expect(api.asked.at(-1)?.body).toMatchObject({
      docker_image: 'py:3',
      name: 'a b',
      cpu_required: 2,
      command: ['echo', 'x  y', '#z', '-name'],
    });
  });

  it('may be empty or a comment', async () => {
    const { said } = await type(['', '   ', '# workers', 'cloudai', 'cloudai # what now']);
    expect(api.asked.map(({ path }) => path).sort()).toEqual(['/api/auth/me', '/telemetry']);
    expect(said.split('\n').slice(2)).toEqual([
      'master> ',
      'master>    ',
      'master> # workers',
      'master> cloudai',
      'master> cloudai # what now',
      '',
      '',
    ]);
  });

  it('is refused with an open quote', async () => {
    const { said } = await type(['task "a b', 'task a\\']);
    expect(said).toContain('cannot read this line: a " is not closed');
    expect(said).toContain('nothing follows the backslash');
    expect(api.asked.some(({ path }) => path === '/api/tasks')).toBe(false);
  });

  it('has the settings the prompt was opened with, unless it has its own', async () => {
    const other = await startSmallApi();
    other.on('GET /workers', () => ({ workers: [makeWorkerBody({ worker_id: 'elsewhere' })] }));
    const { said } = await type(['workers', `workers --url ${api.url}`], {
      argv: ['-url', other.url, '--quiet'],
    });
    expect(said).toContain('master> workers\nelsewhere\nmaster> ');
    expect(said).toMatch(/--url \S+\nworker-1\n/);
    await other.close();
  });

  it('that no command begins gets the near one', async () => {
    const { said, code } = await type(['wrokers', 'exti', 'help quti']);
    expect(said).toMatch(/unknown command 'wrokers'\nDid you mean workers\?/);
    expect(said.match(/Did you mean (exit|quit)\?/g)).toHaveLength(2);
    expect(code).toBe(0);
  });

  it('leaves when it is exit or quit', async () => {
    for (const line of ['exit', ' quit ', 'cloudai exit']) {
      const { said, code } = await type([line, 'workers']);
      expect(said.endsWith(`${line}\n`)).toBe(true);
      expect(code).toBe(0);
    }
    expect((await type(['exit now', 'help exit'])).said).toContain('Usage: cloudai exit');
  });

  it('reads no input from the keyboard in place of a pipe', async () => {
    const { said } = await type(['login --username alice --password-stdin']);
    expect(said).toContain('there is no input here but the keyboard');
  });

  it('takes effect for the next: signing in', async () => {
    const user = {
      user_id: 'user-1',
      username: 'alice',
      role: 'admin',
      created_at: '2026-01-01T10:00:00.000Z',
    };
    api.on('POST /api/auth/login', () => ({ token: 'new', expires_at: '2026-01-02T10:00:00.000Z', user }));
    api.on('GET /api/auth/tokens', ({ headers }) =>
      headers.authorization === 'Bearer new'
        ? { tokens: [] }
        : refusal(401, 'unauthenticated', 'sign in first'),
    );
    const { said } = await type(['tokens list', 'login --username alice', 'tokens list'], {
      env: { CLOUDAI_TOKEN: '' },
      answers: ['secure123'],
    });
    expect(said).toMatch(/not signed in to [\s\S]*Signed in to [\s\S]*You have no tokens/);
    expect(said).not.toContain('secure123');
  });
});

describe('Ctrl-C', () => {
  it('ends the command under way and no other, and the prompt goes on below', async () => {
    let asked = 0;
    api.on('GET /workers', () => {
      asked += 1;
      if (asked > 1) return { workers: [makeWorkerBody()] };
      interrupt();
      // Never answered.
      return undefined;
    });
    const { said } = await type(['workers', 'workers --quiet']);
    expect(said).toContain('master> workers\n\nmaster> workers --quiet\nworker-1\n');
  });
});

describe('Tab', () => {
  const completed = async (line: string) => {
    let found = {};
    const step = async ({ complete }: ReadOptions) => {
      found = await complete(line);
      return '';
    };
    await type([step], { argv: ['-quiet'] });
    return found;
  };

  it('completes commands, the prompt’s own among them, and ids of the cluster', async () => {
    api.on('GET /api/tasks', () => ({ tasks: [makeTaskBody()], next_cursor: null }));
    expect(await completed('work')).toEqual({ words: ['workers '], start: 0 });
    expect(await completed('cloudai exi')).toEqual({ words: ['exit '], start: 8 });
    expect(await completed('cancel  "task-')).toEqual({ words: [`${TASK_ID} `], start: 8 });
    expect(await completed('workers --q')).toEqual({ words: [], start: 8 });
  });
});

describe('history', () => {
  it('is there in the next prompt, without what is secret', async () => {
    let seen: readonly string[] = [];
    const look = async ({ history }: ReadOptions) => {
      seen = history;
      return '';
    };
    await type(['help exit', 'help exit', 'workers --token x', 'queue', look]);
    expect(seen).toEqual(['help exit', 'workers --token x', 'queue']);
    await type([look]);
    expect(seen).toEqual(['help exit', 'queue']);
    expect(await readFile(join(stage.home, 'cloudai', 'history'), 'utf8')).toBe('help exit\nqueue\n');
  });

  it('that cannot be kept is told once', async () => {
    await mkdir(join(stage.home, 'cloudai', 'history'), { recursive: true });
    const { said, code } = await type(['workers', 'queue', 'exit']);
    expect(said.match(/Lines are not remembered/g)).toHaveLength(1);
    expect(said).toContain('worker-1');
    expect(code).toBe(0);
  });
});
