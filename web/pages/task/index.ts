// What the page of a task is made of.

import type { Elements } from '../../elements/define.ts';
import { AttemptTimeline } from './attempt-timeline.ts';
import { LogTools } from './log-tools.ts';
import { LogView } from './log-view.ts';
import { TaskFiles } from './task-files.ts';
import { TaskLog } from './task-log.ts';
import { TaskPage } from './task-page.ts';
import { TaskProgress } from './task-progress.ts';
import { WaitReasons } from './wait-reasons.ts';

export const elements: Elements = {
  'attempt-timeline': AttemptTimeline,
  'task-files': TaskFiles,
  'log-tools': LogTools,
  'log-view': LogView,
  'task-log': TaskLog,
  'task-progress': TaskProgress,
  'wait-reasons': WaitReasons,
  'task-page': TaskPage,
};
