// How each step of `npm test` went, for the person who ran it and, as JSON, for a program that counts.

import { writeFile } from 'node:fs/promises';

export interface StepResult {
  readonly name: string;
  readonly ok: boolean;
  readonly seconds: number;
}

export class TestReport {
  readonly #steps: StepResult[] = [];

  add(name: string, ok: boolean, startMs: number): void {
    const seconds = Math.round((performance.now() - startMs) / 100) / 10;
    this.#steps.push({ name, ok, seconds });
  }

  get ok(): boolean {
    return this.#steps.every((step) => step.ok);
  }

  /** One line a step, the failed ones marked. */
  lines(): string[] {
    const width = Math.max(...this.#steps.map(({ name }) => name.length));
    return this.#steps.map(
      ({ name, ok, seconds }) =>
        `${ok ? '✓' : '✗'} ${name.padEnd(width)}  ${seconds.toFixed(1).padStart(7)} s`,
    );
  }

  /** `{"steps": [{"name", "ok", "seconds"}]}` */
  async write(file: string): Promise<void> {
    await writeFile(file, `${JSON.stringify({ steps: this.#steps }, null, 2)}\n`);
  }
}
