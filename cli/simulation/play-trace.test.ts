import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type CliStage, openCliStage, type World } from '../../test/support/cli-stage.ts';
import { waitFor } from '../../test/support/wait-for.ts';

let stage: CliStage;
let here: string;
beforeEach(async () => {
  stage = await openCliStage();
  here = await mkdtemp(join(tmpdir(), 'cloudai-play-'));
});
afterEach(async () => {
  await stage.close();
  await rm(here, { recursive: true });
});

const at = (name: string) => join(here, name);
const simulate = (line: string, world?: World) => stage.cloudai(['simulate', ...line.split(' ')], world);
const MADE = 'tasks=300,users=5,hours=2,load=0.6,gpu=0.1';
/** What may differ between two runs of the same. */
const withoutClock = (text: string) =>
  text.replaceAll(/^planning.*$/gm, '').replaceAll(/"planning": \{[^}]*\}/g, '');

describe('simulate --generate', () => {
  it('compares the policies side by side, asks nobody, and says the same again for the same seed', async () => {
    const line = `--generate ${MADE} --workers 10 --seed 3`;
    const told = await simulate(line);
    expect(told).toMatchObject({ code: 0, err: '' });
    expect(stage.api.asked).toEqual([]);
    const [headline, , titles] = told.out.split('\n');
    expect(headline).toMatch(/^300 tasks of 5 users, arriving over 1h \d+m, on 10 machines with 192 cores,/);
    expect(titles?.trim().split(/\s+/)).toEqual(['ROUND-ROBIN', 'BEST-FIT', 'SPREAD']);
    for (const name of [
      'wait, p99',
      'met the deadline',
      'fairness of slowdown',
      'fragmentation of cores',
      'passes',
    ]) {
      expect(told.out).toContain(`\n${name}`);
    }
    expect(withoutClock((await simulate(line)).out)).toBe(withoutClock(told.out));
    expect(withoutClock((await simulate(line.replace('seed 3', 'seed 4'))).out)).not.toBe(
      withoutClock(told.out),
    );
  });

  it('keeps the trace, which plays alike when it is read', async () => {
    const json = ['--json', '--policies', 'best-fit'].join(' ');
    const made = await simulate(`--generate ${MADE} --workers 10 --write ${at('t.jsonl')} ${json}`);
    const read = await simulate(`--trace ${at('t.jsonl')} ${json}`);
    expect([made.code, read.code, read.err]).toEqual([0, 0, '']);
    const [first, second] = [made, read].map(({ out }) =>
      JSON.parse(withoutClock(out).replaceAll(/,\s*,/g, ',')),
    );
    expect(first.policies).toHaveLength(1);
    expect(first.policies[0]).toMatchObject({
      policy: 'best-fit',
      tasks: { ended: 300, infeasible: 0, left: 0 },
      sla: { met: expect.any(Number), attainment: expect.any(Number) },
      wait_seconds: { count: 300, p50: expect.any(Number) },
      fairness: { users: 5, slowdown: expect.any(Number) },
    });
    expect({ ...second, source: '', span_seconds: 0 }).toEqual({ ...first, source: '', span_seconds: 0 });
  });

  it('writes a page and plots that need nothing else', async () => {
    const told = await simulate(
      `--generate ${MADE} --workers 10 --html ${at('r.html')} --svg ${at('r.svg')} --quiet`,
    );
    expect(told).toEqual({ code: 0, out: '', err: '' });
    const [page, svg] = [await readFile(at('r.html'), 'utf8'), await readFile(at('r.svg'), 'utf8')];
    for (const text of [page, svg]) {
      expect(text).not.toMatch(/<script|<link|@import|href=|url\(/);
      expect(text.match(/class="line line2"/g)?.length).toBeGreaterThan(4);
      expect(text).toContain('prefers-color-scheme:dark');
    }
    expect(page).toContain('<td>fairness of slowdown</td>');
  });
});

describe('simulate --trace', () => {
  it('names what is broken, plays the rest, and ends with 1', async () => {
    await writeFile(
      at('t.jsonl'),
      '{"at":0,"run":60,"cpu":2}\n{"at":5,"runs":60}\n{"at":9,"run":60,"cpu":3,"user":"<b>\\u001b[2J"}\n',
    );
    const told = await simulate(
      `--trace ${at('t.jsonl')} --workers 1 --worker-size cpu=4,mem=8 --policies spread --html ${at('r.html')}`,
    );
    expect(told.code).toBe(1);
    expect(told.err).toContain('1 line left out:\n');
    expect(told.err).toContain('line 2: "runs" is no field of it');
    expect(told.out).toMatch(/tasks ended +2\n/);
    expect(told.out).toMatch(/wait, longest +51s/);
    expect(await readFile(at('r.html'), 'utf8')).toContain('line 2: &quot;runs&quot; is no field of it');
  });

  it('ends with 1 when a task fits no machine, and says how many', async () => {
    await writeFile(at('t.jsonl'), '{"at":0,"run":60,"cpu":2}\n{"at":0,"run":60,"cpu":20}\n');
    const told = await simulate(`--trace ${at('t.jsonl')} --workers 1 --policies spread`);
    expect(told.code).toBe(1);
    expect(told.out).toMatch(/fit no machine +1\n/);
  });

  it('says what is wrong with what was typed, before anything is read', async () => {
    await writeFile(at('t.jsonl'), '{"at":0,"run":60}\n');
    await writeFile(at('bad.jsonl'), '{}\n');
    const trace = `--trace ${at('t.jsonl')}`;
    for (const [line, fault] of [
      [`${trace} --policies best,spread`, '"best" is no policy; there are round-robin, best-fit, spread.'],
      [`--trace ${at('none')}`, 'there is no such file'],
      [`--trace ${at('bad.jsonl')}`, 'holds no task that can be played'],
      [`${trace} --worker-size cpu=8`, 'at least cpu and mem'],
      [`${trace} --worker-size cpu=0,mem=8`, '--worker-size is not a size of a machine'],
      [`${trace} --workers 0`, 'It must be 1 or more'],
      [`${trace} --workers 1000000`, 'at most 100000 machines'],
      [`${trace} --generate tasks=1`, '--trace and --generate are both given'],
      [`${trace} --write x`, '--write keeps a made-up trace'],
      [`${trace} --cordon w1`, 'and yet --cordon is given'],
      [`${trace} -cpu_cores 2`, 'and yet --cpu_cores is given'],
      [`${trace} a:b`, 'and yet a:b is given'],
      [`${trace} -- true`, 'and yet a command is given'],
      [`${trace} --html ${at('no/such/folder.html')}`, 'cannot be written'],
      ['a:b --seed 3', '--seed is for the play of a trace, and there is none'],
      ['--generate tasks=none', 'tasks must be a whole number between 1 and'],
      ['--generate task=3', '"task" is none of tasks, users,'],
      ['--generate load=2,load=3', 'load is given twice'],
    ] as const) {
      const { code, err } = await simulate(line);
      expect([line, code]).toEqual([line, 2]);
      expect(err).toContain(fault);
    }
    expect(stage.api.asked).toEqual([]);
  });

  it('ends on Ctrl-C, and says how far it is on a terminal', async () => {
    const interrupt = new AbortController();
    const long = '--generate tasks=20000,users=50,hours=24,load=1 --workers 200';
    const running = stage.start(['simulate', ...long.split(' ')], {
      signal: interrupt.signal,
      progress: true,
    });
    await waitFor(() => running.told.err.includes('simulated'), { what: 'a line that says how far it is' });
    interrupt.abort();
    const { code, out, err } = await running.ended;
    expect([code, out]).toEqual([130, '']);
    expect(err).toMatch(/round-robin: \d+%, .* simulated, \d+ waiting, \d+ running/);
  });
});
