// What the page of a task is made of.

import type { Elements } from '../../elements/define.ts';
import { AttemptTimeline } from './attempt-timeline.ts';
import { TaskFiles } from './task-files.ts';
import { TaskLog } from './task-log.ts';
import { TaskPage } from './task-page.ts';
import { TaskProgress } from './task-progress.ts';
import { WaitReasons } from './wait-reasons.ts';

export const elements: Elements = {
  'attempt-timeline': AttemptTimeline,
  'task-files': TaskFiles,
  'task-log': TaskLog,
  'task-progress': TaskProgress,
  'wait-reasons': WaitReasons,
  'task-page': TaskPage,
};
