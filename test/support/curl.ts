// curl as a user runs it, for answers that go on and on. `npm test` brings it where it is missing.

import { type ChildProcess, spawn } from 'node:child_process';

export interface Curl {
  /** What it printed so far. */
  text(): string;
  /** Its exit code: 0 for an answer that ended in good order, 18 for one that was cut off. */
  readonly ended: Promise<number | null>;
  stop(): void;
}

/** `curl -sN url`, with the token in a header. What is given to `take` is not kept for `text`. */
export function curl(url: string, token: string, take?: (chunk: Buffer) => void): Curl {
  const child: ChildProcess = spawn(
    process.env.CURL_PATH ?? 'curl',
    ['--silent', '--no-buffer', '--max-time', '120', '--header', `Authorization: Bearer ${token}`, url],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  const chunks: Buffer[] = [];
  child.stdout?.on('data', take ?? ((chunk: Buffer) => chunks.push(chunk)));
  return {
    text: () => Buffer.concat(chunks).toString(),
    ended: new Promise((done, fail) => {
      child.once('error', fail);
      child.once('close', (code) => done(code));
    }),
    stop: () => void child.kill(),
  };
}

/** The whole lines of an answer in JSON lines; one that was cut in the middle is left out. */
export function jsonLines<T>(text: string): T[] {
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as T);
}
