// Output of attempts on its way to readers: what is told while it runs, what is kept at the end, also when runners
// change in the middle of it.

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Task } from '../../../shared/model/task.ts';
import { waitFor } from '../../support/wait-for.ts';
import { openScriptedStage, type Stage, small } from './stage.ts';

const NOTE = '[cloudai] the output is over 1 MB: the rest is not kept';
const ESC = '\u001b';
let stage: Stage;

beforeEach(async () => {
  ({ stage } = await openScriptedStage({ LOG_MAX_MB: '1' }));
});
afterEach(() => stage?.close());

const raw = (text: string) => `raw ${Buffer.from(text).toString('base64')}`;

/** What was told of a task: each line once, in order, and as it is kept. */
async function expectToldAsKept(task: Task): Promise<void> {
  const kept = await stage.lines(task);
  await waitFor(() => stage.live.batchesOf(task.id).at(-1)?.lastSeq === kept.length, {
    what: 'the last lines to be told',
  });
  let next = 1;
  for (const { firstSeq, lastSeq, lines } of stage.live.batchesOf(task.id)) {
    expect(firstSeq).toBe(next);
    next = lastSeq + 1;
    if (lines) expect(lines).toEqual(kept.slice(firstSeq - 1, lastSeq));
  }
}

describe('a task that prints now and then', () => {
  it('has each line kept and told while it runs, in few batches', async () => {
    await stage.start();
    const steps = Array.from({ length: 60 }, (_, n) => `print line ${n}; sleep 10`).join('; ');
    const task = await stage.submit({ resources: small, command: `${steps}; forever` });
    await stage.untilPrinted(task, 'line 59');
    await expectToldAsKept(task);
    expect(await stage.lines(task)).toHaveLength(60);
    expect(stage.live.batchesOf(task.id).length).toBeLessThan(30);
    expect((await stage.task(task.id)).state).toBe('running');
  });

  it('is told of by numbers alone where it is too much', async () => {
    await stage.start();
    const done = await stage.ended(await stage.submit({ resources: small, command: 'lines 5000' }));
    await expectToldAsKept(done);
    expect(stage.live.batchesOf(done.id).some(({ lines }) => lines === null)).toBe(true);
  });
});

describe('what a terminal would show', () => {
  it('is what is kept of lines that were redrawn', async () => {
    await stage.start();
    const text = `10%\r20%\r100%\r\nabcdef\rXY\nlong text\r${ESC}[Kshort\nlast`;
    const done = await stage.ended(await stage.submit({ resources: small, command: raw(text) }));
    expect(await stage.output(done)).toEqual(['100%', 'XYcdef', 'short', 'last']);
  });

  it('is shown of a line that has no end yet', async () => {
    await stage.start();
    const command = `print up; ${raw('10%\r20%')}; sleep 400; ${raw('\r30%')}; sleep 400; ${raw(' done\n')}`;
    const done = await stage.ended(await stage.submit({ resources: small, command }));
    expect(await stage.output(done)).toEqual(['up', '30% done']);
    const common = { task_id: done.id, attempt: 1, stream: 'stdout', after_seq: 1 };
    expect(stage.live.partialsOf(done.id)).toEqual([
      { ...common, text: '20%' },
      { ...common, text: '30%' },
    ]);
  });
});

describe('progress that a program tells', () => {
  it('reaches watchers and the record, and is no output', async () => {
    await stage.start();
    const steps = Array.from({ length: 40 }, (_, n) => `print ::progress ${n} step ${n}; sleep 10`);
    const command = `print begin; ${steps.join('; ')}; warn ::progress 99.5 ready; print end; exit 3`;
    const begun = performance.now();
    const done = await stage.ended(await stage.submit({ resources: small, command }));
    const seconds = (performance.now() - begun) / 1_000;
    expect(await stage.output(done)).toEqual(['begin', 'end']);
    const last = { percent: 99.5, message: 'ready' };
    expect(done.attempts[0]?.progress).toEqual({ ...last, at: expect.any(Number) });
    const told = stage.live.progressOf(done.id);
    expect(told[0]).toMatchObject({ phase: 'running', percent: 0, message: 'step 0', attempt: 1 });
    expect(told.at(-1)).toMatchObject(last);
    // The last one does not wait for its turn.
    expect(told.length).toBeLessThanOrEqual(seconds * 5 + 2);
    await waitFor(() => stage.live.kept.at(-1)?.percent === 99.5, { what: 'the board' });
  });

  it('is null in the record of a program that told none', async () => {
    await stage.start();
    const done = await stage.ended(
      await stage.submit({ resources: small, command: 'print ::progress much' }),
    );
    expect(await stage.output(done)).toEqual(['::progress much']);
    expect(done.attempts[0]?.progress).toBeNull();
  });
});

describe('output over the limit', () => {
  it('is read to its end and not kept, and the task is as good as any', async () => {
    await stage.start();
    const done = await stage.ended(
      await stage.submit({ resources: small, command: 'lines 40000; warn still here; print ::progress 100' }),
    );
    expect(done).toMatchObject({ state: 'completed', exitCode: 0 });
    const lines = await stage.lines(done);
    expect(lines.at(-1)).toMatchObject({ stream: 'stderr', line: NOTE, seq: lines.length });
    expect(lines.slice(0, -1).every(({ line }, n) => line === `line ${n + 1}`)).toBe(true);
    expect(lines.length).toBeLessThan(20_000);
    expect(done.attempts[0]?.progress).toMatchObject({ percent: 100 });
    await expectToldAsKept(done);
  });

  it('stays where it is when runners change', async () => {
    let { runner } = await stage.start();
    const task = await stage.submit({
      resources: small,
      command:
        'lines 10000; sleep 1000; lines 10000; sleep 1500; print more; print ::progress 100; sleep 300',
    });
    await stage.untilPrinted(task, 'line 10000');
    await runner.stop();
    ({ runner } = await stage.start());
    await stage.untilPrinted(task, NOTE);
    const before = await stage.lines(task);
    await runner.stop();
    await stage.start();
    const done = await stage.ended(task);
    expect(done).toMatchObject({ state: 'completed', attempt: 1 });
    expect(done.attempts[0]?.progress).toMatchObject({ percent: 100 });
    expect(await stage.lines(task)).toEqual(before);
    expect(before.slice(0, -1).map(({ line }) => line)).toEqual(
      before.slice(0, -1).map((_, n) => `line ${(n % 10_000) + 1}`),
    );
    await expectToldAsKept(task);
  });
});

describe('when runners change in the middle', () => {
  it('there is no gap and no repeat, and progress is never counted', async () => {
    const part = (n: number) =>
      [
        `print ::progress ${n}`,
        `lines 20`,
        `warn ::progress ${n}.5 half`,
        raw(`drawn\r${n}%\rpart ${n}\r\n::progress ${n}.7\nbegun `),
        'sleep 120',
        raw(`and ended ${n}\n`),
      ].join('; ');
    const command = Array.from({ length: 12 }, (_, n) => part(n)).join('; ');
    let { runner } = await stage.start();
    const task = await stage.submit({ resources: small, command });
    for (const n of [1, 4, 7]) {
      await waitFor(async () => (await stage.output(task)).some((line) => line.startsWith(`part ${n}`)), {
        what: `part ${n}`,
      });
      await runner.stop();
      ({ runner } = await stage.start());
    }
    const done = await stage.ended(task);
    const of = (n: number) => [
      ...Array.from({ length: 20 }, (_, line) => `line ${line + 1}`),
      `part ${n}`,
      `begun and ended ${n}`,
    ];
    expect(await stage.output(done)).toEqual(Array.from({ length: 12 }, (_, n) => of(n)).flat());
    expect(done.attempts[0]?.progress).toMatchObject({ percent: 11.7 });
    await expectToldAsKept(done);
    const percents = stage.live.progressOf(task.id).map(({ percent }) => percent ?? 0);
    expect(percents.at(-1)).toBe(11.7);
  });
});

describe('secrets', () => {
  const env = { KEY: 'hunter2-hunter2' };
  const secrets = ['KEY'];

  it('leave the runner nowhere, however they are printed', async () => {
    await stage.start();
    const command = [
      raw('whole hunter2-hunter2\nhunter2-'),
      'sleep 350',
      raw('hunter2 in two\n'),
      raw('hunter2-hunter2\rXX\n'),
      raw('::progress 5 at hunter2-hunter2\n'),
      raw('::progress 6 at hunter2-'),
      'sleep 350',
      raw(`${ESC}[1mhunter2\n`),
      raw(`${'x'.repeat(16_380)}hunter2-hunter2\n`),
    ].join('; ');
    const done = await stage.ended(await stage.submit({ resources: small, command, env, secrets }));
    expect(await stage.output(done)).toEqual([
      'whole ********',
      '******** in two',
      'XX******',
      `${'x'.repeat(16_380)}********`,
    ]);
    await expectToldAsKept(done);
    expect(done.attempts[0]?.progress).toMatchObject({ percent: 6, message: 'at ********' });
    const said = JSON.stringify([stage.live.batches, stage.live.emitted, stage.live.kept, done.attempts]);
    expect(said).not.toContain('hunter2');
    expect(stage.live.partialsOf(done.id)).toEqual([]);
  });

  it('are hidden in the reason of a failure, at every point of its life', async () => {
    const command = 'start-error cannot open hunter2-hunter2';
    const left = await stage.submit({ resources: small, command, env, secrets });
    await stage.start();
    for (const task of [left, await stage.submit({ resources: small, command, env, secrets })]) {
      const { message } = await stage.ended(task);
      expect(message).toContain('cannot open ********');
      expect(message).not.toContain('hunter2');
    }
    const image = 'cloudai/missing-hunter2-hunter2:1';
    const { message } = await stage.ended(await stage.submit({ resources: small, image, env, secrets }));
    expect(message).toContain('********');
    expect(message).not.toContain('hunter2');
  });
});
