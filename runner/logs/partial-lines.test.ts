// Unfinished lines of a real splitter, by a clock that the test moves.

import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import type { LogStream } from '../../shared/model/log-line.ts';
import { collectLive, type LiveCollector } from '../../test/support/live-collectors.ts';
import { LineSplitter } from './line-splitter.ts';
import { PartialLines } from './partial-lines.ts';

let live: LiveCollector;
let partials: PartialLines;
let lines: Record<LogStream, number>;
let splitters: Record<LogStream, LineSplitter>;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  live = collectLive();
  lines = { stdout: 0, stderr: 0 };
  const splitter = (stream: LogStream) =>
    new LineSplitter(
      () => {
        lines[stream] += 1;
      },
      { values: [], apply: (text) => text },
    );
  splitters = { stdout: splitter('stdout'), stderr: splitter('stderr') };
  partials = new PartialLines({
    taskId: 'task-1',
    attempt: 1,
    rooms: live.parts.rooms,
    lineOf: (stream) => (splitters[stream].isUnfinished ? lines[stream] : null),
    look: (stream) => ({ text: splitters[stream].unfinished, afterSeq: lines.stdout + lines.stderr }),
  });
});
afterEach(() => {
  partials.close();
  vi.useRealTimers();
});

function write(text: string, stream: LogStream = 'stdout'): void {
  splitters[stream].push(Buffer.from(text));
  partials.changed();
}
const shown = () => live.partialsOf('task-1').map(({ text }) => text);
const pass = (ms: number) => vi.advanceTimersByTime(ms);

describe('the line that is being written', () => {
  it('is shown after a while, with the number of the line before it', () => {
    write('one\ntwo\nname: ');
    pass(249);
    expect(shown()).toEqual([]);
    pass(1);
    expect(live.partialsOf('task-1')).toEqual([
      { task_id: 'task-1', attempt: 1, stream: 'stdout', after_seq: 2, text: 'name: ' },
    ]);
    pass(10_000);
    expect(shown()).toEqual(['name: ']);
  });

  it('is shown four times a second at most, the last state always', () => {
    for (let n = 1; n <= 100; n += 1) {
      write(`\r${n}%`);
      pass(10);
    }
    pass(1_000);
    expect(shown()).toEqual(['25%', '50%', '75%', '100%']);
  });

  it('is shown only when it changed', () => {
    write('wait');
    pass(250);
    write('\rwait');
    pass(1_000);
    expect(shown()).toEqual(['wait']);
    write('ing');
    pass(250);
    expect(shown()).toEqual(['wait', 'waiting']);
  });

  it('is shown again when a line of the other stream came after it', () => {
    write('name: ');
    pass(250);
    write('warning\n', 'stderr');
    pass(250);
    expect(live.partialsOf('task-1').map(({ after_seq, text }) => [after_seq, text])).toEqual([
      [0, 'name: '],
      [1, 'name: '],
    ]);
  });

  it('is not shown while whole lines flow, wherever chunks end', () => {
    for (let n = 0; n < 100; n += 1) {
      write('end\nbegin ');
      pass(20);
    }
    expect(shown()).toEqual([]);
    pass(500);
    expect(shown()).toEqual(['begin ']);
  });

  it('is shown of both streams', () => {
    write('out');
    write('err', 'stderr');
    pass(250);
    expect(live.partialsOf('task-1').map(({ stream, text }) => [stream, text])).toEqual([
      ['stdout', 'out'],
      ['stderr', 'err'],
    ]);
  });

  it('is cut, and not shown when it is about progress', () => {
    write('x'.repeat(5_000));
    pass(250);
    expect(shown()).toEqual(['x'.repeat(2_000)]);
    write('\n::progress 4');
    pass(1_000);
    expect(shown()).toHaveLength(1);
  });

  it('is not shown after the end', () => {
    write('name: ');
    partials.close();
    write('x');
    pass(1_000);
    expect(shown()).toEqual([]);
  });
});
