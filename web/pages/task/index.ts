// What the page of a task is made of.

import type { Elements } from '../../elements/define.ts';
import { filePreviewElements } from '../../elements/file-dialog.ts';
import { TimePlot } from '../../elements/time-plot.ts';
import { AttemptPicture } from './attempt-picture.ts';
import { AttemptTimeline } from './attempt-timeline.ts';
import { LogTools } from './log-tools.ts';
import { LogView } from './log-view.ts';
import { TaskFacts } from './task-facts.ts';
import { TaskFiles } from './task-files.ts';
import { TaskLog } from './task-log.ts';
import { TaskPage } from './task-page.ts';
import { TaskProgress } from './task-progress.ts';
import { TaskSpecView } from './task-spec-view.ts';
import { TaskUsage } from './task-usage.ts';
import { WaitReasons } from './wait-reasons.ts';

export const elements: Elements = {
  ...filePreviewElements,
  'attempt-picture': AttemptPicture,
  'attempt-timeline': AttemptTimeline,
  'task-facts': TaskFacts,
  'task-files': TaskFiles,
  'log-tools': LogTools,
  'log-view': LogView,
  'task-log': TaskLog,
  'task-progress': TaskProgress,
  'task-spec-view': TaskSpecView,
  'task-usage': TaskUsage,
  'time-plot': TimePlot,
  'wait-reasons': WaitReasons,
  'task-page': TaskPage,
};
