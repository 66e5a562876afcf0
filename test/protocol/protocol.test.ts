// Nothing lost, nothing twice: explored, not tried out. All interleavings of two schedulers, two runners and their
// containers, with processes that die, answers that are lost, writes that arrive late and leases that run out. And the
// other way round: with any one rule taken out of the protocol the exploration finds what goes wrong.

import { describe, expect, it } from 'vitest';
import type { Task } from '../../shared/model/task.ts';
import { finishTask, startTask, takeBackTask } from '../../shared/model/task-life.ts';
import { explore, type Scenario } from './explore.ts';
import type { Rules } from './rules.ts';

const DEADLINE_MS = 600_000;

describe('the protocol of attempts and leases', () => {
  const scenarios: readonly (readonly [name: string, scenario: Scenario])[] = [
    ['nothing goes wrong', { maxRetries: 1, exitCodes: [0, 1] }],
    ['a write is late or its answer is lost', { faults: { messages: 1 } }],
    ['a user cancels, and a write is late', { faults: { cancels: 1, messages: 1 } }],
    ['a task is evicted', { workers: 1, faults: { evictions: 1 } }],
    ['a task is evicted and cancelled', { schedulers: 1, workers: 1, faults: { evictions: 1, cancels: 1 } }],
    ['a lease runs out although its holder lives', { faults: { leases: 1 } }],
    ['a process dies', { faults: { crashes: 1 } }],
    ['a process dies, and a write is late', { faults: { crashes: 1, messages: 1 } }],
    ['Redis is emptied', { schedulers: 1, workers: 1, faults: { flushes: 1 } }],
    ['two tasks want one place', { workers: 1, tasks: 2, faults: { leases: 1 } }],
  ];

  it.each(scenarios)('keeps its promises when %s', { timeout: DEADLINE_MS }, (name, scenario) => {
    const { broken, worlds, depth, isWhole } = explore(scenario);
    console.info(`${name}: ${isWhole ? 'all' : 'the first'} ${worlds} worlds, up to ${depth} moves away`);
    expect(broken).toBeNull();
    expect(worlds).toBeGreaterThan(50);
  });

  it('keeps all but two of them on a store that looks at term and record one after the other', () => {
    const { broken } = explore({
      faults: { leases: 1, messages: 1 },
      rules: { comparesTerm: false, comparesAtOnce: false },
    });
    expect(broken).toBeNull();
  });
});

describe('without a rule of the protocol it finds what goes wrong:', () => {
  const asCurrent = <R extends { attempt: number; workerId: string }>(task: Task, report: R): R => ({
    ...report,
    attempt: task.attempt,
    workerId: task.workerId ?? report.workerId,
  });
  const mutants: readonly (readonly [
    rule: string,
    rules: Partial<Rules>,
    scenario: Scenario,
    promise: string,
  ])[] = [
    [
      'a result names its attempt and worker',
      { finishTask: (task, report) => finishTask(task, asCurrent(task, report)) },
      { faults: { leases: 1 } },
      'a runner wrote for an attempt',
    ],
    [
      'a start names its attempt and worker',
      { startTask: (task, report) => startTask(task, asCurrent(task, report)) },
      { faults: { leases: 1 } },
      'a runner wrote for an attempt',
    ],
    [
      'a scheduler writes under its term',
      { comparesTerm: false },
      { faults: { leases: 1 } },
      'a scheduler wrote under a term that is over',
    ],
    [
      'a write goes over the revision it was made from',
      { comparesRevision: false },
      { faults: { messages: 1 } },
      'revision did not grow|had ended was changed|not the current one',
    ],
    [
      'a task that comes back gets a new attempt',
      {
        takeBackTask: (task, report) => {
          const step = takeBackTask(task, report);
          return step.ok ? { ok: true, task: { ...step.task, attempt: task.attempt } } : step;
        },
      },
      { faults: { leases: 1 } },
      'a task that waits has no next attempt',
    ],
    [
      'a lost attempt says when and why',
      {
        takeBackTask: (task, report) => {
          const step = takeBackTask(task, report);
          if (!step.ok) return step;
          const attempts = step.task.attempts.map((one) => ({ ...one, reason: null }));
          return { ok: true, task: { ...step.task, attempts } };
        },
      },
      { faults: { leases: 1 } },
      'an attempt that is over does not tell all',
    ],
    [
      'a runner finds what its last life started, or its engine refuses a twin',
      { runnersAdopt: false, enginesRefuseTwins: false },
      { faults: { crashes: 1 } },
      'two containers of one attempt',
    ],
    [
      'what was delivered and lost is delivered again',
      {
        runnersAdopt: false,
        reconcilePlaced: () => ({ book: [], release: [], redeliver: [], lost: [] }),
      },
      { schedulers: 1, workers: 1, faults: { crashes: 1 } },
      'a quiet system comes to an end',
    ],
    [
      'a silent worker is called down',
      { judgeLiveness: (_workers, _look, memory) => ({ up: [], down: [], memory }), runnersAdopt: false },
      { schedulers: 1, workers: 1, faults: { crashes: 1 } },
      'a quiet system comes to an end',
    ],
  ];

  it.each(mutants)('%s', { timeout: DEADLINE_MS }, (rule, rules, scenario, promise) => {
    const { broken, worlds } = explore({ ...scenario, rules, most: 100_000 });
    console.info(
      `without "${rule}": ${broken?.promise} (${broken?.steps.length} steps, ${worlds} worlds)\n  ${broken?.steps.join('\n  ')}`,
    );
    expect(broken?.promise).toMatch(new RegExp(promise));
  });
});
