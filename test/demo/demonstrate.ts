// What demonstrations have in common: they say what is seen with the time since they began, undo what they made, also when
// they are stopped, and end with 0 when all went as promised, else with 1.

import { messageOf } from '../../shared/errors.ts';

export interface Demonstration {
  say(text: string): void;
  /** @throws when it was not kept, which ends the demonstration */
  promise(kept: boolean, what: string): void;
  /** Done at the end, in this order. */
  readonly cleanUp: (() => Promise<unknown>)[];
}

/** Ends the process. */
export async function demonstrate(show: (on: Demonstration) => Promise<void>): Promise<never> {
  const begun = performance.now();
  const say = (text: string) => {
    const seconds = ((performance.now() - begun) / 1_000).toFixed(1).padStart(6);
    process.stdout.write(`${seconds} s  ${text}\n`);
  };
  const promise = (kept: boolean, what: string) => {
    if (!kept) throw new Error(`not as promised: ${what}`);
    say(`✓ ${what}`);
  };
  const cleanUp: (() => Promise<unknown>)[] = [];
  let cleaning: Promise<void> | null = null;
  const clean = () => {
    cleaning ??= (async () => {
      for (const work of cleanUp) await work().catch((error) => say(`cleaning up: ${messageOf(error)}`));
    })();
    return cleaning;
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.on(signal, () => void clean().then(() => process.exit(1)));
  }
  try {
    await show({ say, promise, cleanUp });
    await clean();
    say('all as promised; everything is cleaned up');
    process.exit(0);
  } catch (error) {
    say(`✗ ${messageOf(error)}`);
    await clean();
    process.exit(1);
  }
}
