// The rules of the protocol as the code has them. A test breaks one of them to see that the exploration notices.

import { nextStep } from '../../runner/core/next-step.ts';
import { judgeLiveness } from '../../scheduler/core/liveness.ts';
import { reconcilePlaced } from '../../scheduler/core/reconcile.ts';
import {
  assignTask,
  evictTask,
  finishTask,
  requestCancel,
  startTask,
  takeBackTask,
} from '../../shared/model/task-life.ts';

export const RULES = {
  assignTask,
  startTask,
  finishTask,
  takeBackTask,
  evictTask,
  requestCancel,
  nextStep,
  judgeLiveness,
  reconcilePlaced,
  /** A write counts only over the revision it was made from. */
  comparesRevision: true,
  /** A scheduler's write counts only under the newest term. */
  comparesTerm: true,
  /** Term and record are looked at in one go; on MongoDB they are not. */
  comparesAtOnce: true,
  /** An engine refuses a second container of an attempt. */
  enginesRefuseTwins: true,
  /** A runner that begins looks at its engine first. */
  runnersAdopt: true,
  /** A writer whose answer was lost looks whether what it wrote is there. */
  writersLook: true,
};

export type Rules = typeof RULES;
