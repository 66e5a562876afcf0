// What the page of a task is made of.

import type { Elements } from '../../elements/define.ts';
import { filePreviewElements } from '../../elements/file-dialog.ts';
import { AttemptPicture } from './attempt-picture.ts';
import { AttemptTimeline } from './attempt-timeline.ts';
import { TaskFacts } from './task-facts.ts';
import { TaskFiles } from './task-files.ts';
import { TaskLog } from './task-log.ts';
import { TaskPage } from './task-page.ts';
import { TaskProgress } from './task-progress.ts';
import { TaskSpecView } from './task-spec-view.ts';
import { WaitReasons } from './wait-reasons.ts';

export const elements: Elements = {
  ...filePreviewElements,
  'attempt-picture': AttemptPicture,
  'attempt-timeline': AttemptTimeline,
  'task-facts': TaskFacts,
  'task-files': TaskFiles,
  'task-log': TaskLog,
  'task-progress': TaskProgress,
  'task-spec-view': TaskSpecView,
  'wait-reasons': WaitReasons,
  'task-page': TaskPage,
};
