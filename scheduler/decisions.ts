// Keeps the decisions of a term in the decision log. For term.ts:
//
//   const decisions = new Decisions({ decisionLog, decisionLogBytes, term, log });  // one for each term
//   const made = decisions.decide(snapshot, now, seed);   // in place of plan(snapshot, now, seed): the same plan
//   await decisions.settled();                            // at the end of the term, within seconds
//
// It never throws, never waits for Redis within a pass, and never changes a plan. What Redis does not take in time is
// dropped, and the log says so. With `decisionLogBytes` 0 it only plans.

import { messageOf } from '../shared/errors.ts';
import type { Log } from '../shared/platform/log.ts';
import type { DecisionLog } from '../shared/ports/decision-log.ts';
import { type Recorded, Recorder } from './core/decision-record.ts';
import { plan } from './core/plan.ts';
import type { Plan, Snapshot } from './core/snapshot.ts';

export interface DecisionsParts {
  readonly decisionLog: DecisionLog;
  readonly decisionLogBytes: number;
  readonly term: number;
  readonly log: Log;
}

/** Characters that may wait for Redis; a full picture of ten thousand workers has about one million. */
const MAX_WAITING_CHARS = 16 * 1_048_576;
/** Said again at most so often while Redis is away. */
const COMPLAINT_EVERY = 100;

export class Decisions {
  readonly #parts: DecisionsParts;
  readonly #recorder: Recorder | null;
  #waiting: string[] = [];
  #waitingChars = 0;
  /** Passes among what waits, and in what is under way. */
  #waitingPasses = 0;
  #sending: Promise<void> | null = null;
  #faults = 0;

  constructor(parts: DecisionsParts) {
    this.#parts = parts;
    const { term, decisionLogBytes } = parts;
    this.#recorder = decisionLogBytes > 0 ? new Recorder({ term, maxBytes: decisionLogBytes }) : null;
  }

  decide(snapshot: Snapshot, now: number, seed: number): Plan {
    const recorder = this.#recorder;
    if (!recorder) return plan(snapshot, now, seed);
    const seen = recorder.watch(snapshot);
    const made = plan(seen, now, seed);
    try {
      this.#keep(recorder.record(seen, now, seed, made));
    } catch (error) {
      // A fault here must cost no placement.
      this.#parts.log.error({ err: error }, 'a pass of the scheduler could not be written down');
      recorder.leaveOut(1, 'it could not be written down');
    }
    return made;
  }

  /** All that can be has been sent. In good time also while Redis is away: its calls have deadlines. */
  async settled(): Promise<void> {
    while (this.#sending) await this.#sending;
  }

  #keep({ lines, passes }: Recorded): void {
    if (lines.length === 0) return;
    const chars = lines.reduce((sum, line) => sum + line.length, 0);
    if (this.#waitingChars + chars > MAX_WAITING_CHARS) {
      this.#drop(this.#waitingPasses + passes, 'Redis did not take them in time');
      return;
    }
    this.#waiting.push(...lines);
    this.#waitingChars += chars;
    this.#waitingPasses += passes;
    this.#sending ??= this.#send();
  }

  async #send(): Promise<void> {
    const { decisionLog, decisionLogBytes, log } = this.#parts;
    while (this.#waiting.length > 0) {
      const [lines, passes] = [this.#waiting, this.#waitingPasses];
      this.#forgetWaiting();
      try {
        await decisionLog.append(lines, decisionLogBytes);
        this.#faults = 0;
      } catch (error) {
        if (this.#faults % COMPLAINT_EVERY === 0) {
          log.warn({ fault: messageOf(error) }, 'decisions are not kept for now');
        }
        this.#faults += 1;
        // What came after them cannot be read without them.
        this.#drop(passes + this.#waitingPasses, 'Redis was away');
      }
    }
    this.#sending = null;
  }

  #drop(passes: number, why: string): void {
    this.#forgetWaiting();
    this.#recorder?.leaveOut(passes, why);
  }

  #forgetWaiting(): void {
    this.#waiting = [];
    this.#waitingChars = 0;
    this.#waitingPasses = 0;
  }
}
