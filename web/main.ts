// Entry of the dashboard: gives each element its name. The one file that does something by being loaded.

import { App } from './app.ts';
import { AttemptTimeline } from './elements/attempt-timeline.ts';
import { NoticeBox } from './elements/notice-box.ts';
import { RegisterMachine } from './elements/register-machine.ts';
import { StateBadge } from './elements/state-badge.ts';
import { StateCounts } from './elements/state-counts.ts';
import { TaskFiles } from './elements/task-files.ts';
import { TaskLog } from './elements/task-log.ts';
import { TaskProgress } from './elements/task-progress.ts';
import { TaskTable } from './elements/task-table.ts';
import { UsageBar } from './elements/usage-bar.ts';
import { WaitReasons } from './elements/wait-reasons.ts';
import { WorkerTable } from './elements/worker-table.ts';
import { OverviewPage } from './pages/overview.ts';
import { SignInPage } from './pages/sign-in.ts';
import { SubmitPage } from './pages/submit.ts';
import { TaskPage } from './pages/task.ts';
import { TasksPage } from './pages/tasks.ts';

const elements: Record<string, CustomElementConstructor> = {
  'attempt-timeline': AttemptTimeline,
  'notice-box': NoticeBox,
  'register-machine': RegisterMachine,
  'state-badge': StateBadge,
  'state-counts': StateCounts,
  'task-files': TaskFiles,
  'task-log': TaskLog,
  'task-progress': TaskProgress,
  'task-table': TaskTable,
  'usage-bar': UsageBar,
  'wait-reasons': WaitReasons,
  'worker-table': WorkerTable,
  'overview-page': OverviewPage,
  'sign-in-page': SignInPage,
  'submit-page': SubmitPage,
  'task-page': TaskPage,
  'tasks-page': TasksPage,
  // Last: it uses all others.
  'cloudai-app': App,
};
for (const [name, element] of Object.entries(elements)) customElements.define(name, element);
