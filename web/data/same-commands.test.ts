import { describe, expect, it } from 'vitest';
import type { SubmitBody } from '../../shared/contracts/http.ts';
import { SUBMIT_DEFAULTS } from '../../shared/contracts/submit-defaults.ts';
import { cliText, curlText, jsonText } from './same-commands.ts';
import { splitWords } from './shell-words.ts';

const body = (over: Partial<SubmitBody> = {}): SubmitBody => ({
  ...SUBMIT_DEFAULTS,
  docker_image: 'python:3.9',
  ...over,
});
const words = (text: string) => splitWords(text.replaceAll('\\\n', ''));

describe('the same task', () => {
  it('for the command line', () => {
    expect(cliText(body()).text).toBe('npx cloudai task python:3.9');
    const task = body({
      name: "it's",
      cpu_required: 2,
      memory_required: 1_536,
      command: 'echo "$HOME"',
      env: { A: 'x y', KEY: 'hunter2' },
      secrets: ['KEY'],
      files: ['a b.csv'],
      mounts: [
        { source: '/sets/a b', target: '/data', read_only: true },
        { source: '/w', target: '/w', read_only: false },
      ],
      tag: '-x',
    });
    expect(words(cliText(task).text)).toEqual([
      ...['npx', 'cloudai', 'task', 'python:3.9', '-name', "it's", '-cpu_cores', '2', '-mem', '1.5'],
      ...['-tag=-x', '-env', 'A=x y', '-secret', 'KEY', '-file', 'a b.csv', '-mount', '/sets/a b:/data:ro'],
      ...['-mount', '/w:/w', '-cmd', 'echo "$HOME"'],
    ]);
    expect(cliText(task).notes).toEqual([expect.stringContaining('KEY')]);
  });

  it('with what it is tried again after, and how long it may wait', () => {
    const task = body({
      max_retries: 2,
      retry_on: ['exit_code', 'image_error'],
      retry_on_exit_codes: [75, 111],
      retry_delay_seconds: 0,
      queue_timeout_seconds: 600,
    });
    expect(words(cliText(task).text)).toEqual([
      ...['npx', 'cloudai', 'task', 'python:3.9', '-queue_timeout', '600', '-retries', '2'],
      ...['-retry_on', 'exit_code,image_error', '-retry_on_exit_codes', '75,111', '-retry_delay', '0'],
    ]);
  });

  it('tied to a worker, with words and a webhook', () => {
    const webhook = { url: 'https://a', events: ['running' as const] };
    const { text, notes } = cliText(body({ worker: 'w-1', command: ['echo', '--', 'a b'], webhook }));
    expect(words(text)).toEqual([
      ...['npx', 'cloudai', 'dispatch', 'w-1', 'python:3.9', '-webhook', 'https://a'],
      ...['--', 'echo', '--', 'a b'],
    ]);
    expect(notes).toHaveLength(1);
  });

  it('with labels', () => {
    const { text } = cliText(
      body({ constraints: { disk: ['ssd', 'nvme'], zone: 'a' }, prefer: { spot: '' } }),
    );
    expect(words(text)?.slice(4)).toEqual([
      ...['-constraint', 'disk=ssd,nvme', '-constraint', 'zone=a', '-prefer', 'spot='],
    ]);
  });

  it('for curl and as JSON, without the values of secrets', () => {
    const task = body({ env: { KEY: 'hunter2', B: "it's" }, secrets: ['KEY'], command: "echo 'hi'" });
    const brief = {
      docker_image: 'python:3.9',
      command: "echo 'hi'",
      env: { KEY: '********', B: "it's" },
      secrets: ['KEY'],
    };
    expect(JSON.parse(jsonText(task))).toEqual(brief);
    const curl = words(curlText(task, 'http://h:8080')) ?? [];
    expect(curl).toContain('http://h:8080/api/tasks');
    expect(JSON.parse(curl.at(-1) ?? '')).toEqual(brief);
    for (const text of [jsonText(task), curlText(task, 'http://h'), cliText(task).text]) {
      expect(text).not.toContain('hunter2');
    }
  });

  it('many times over', () => {
    expect(JSON.parse(jsonText(body(), 3)).tasks).toHaveLength(3);
    expect(cliText(body(), 3).text).toBe('for n in $(seq 3); do\nnpx cloudai task python:3.9\ndone');
  });
});
