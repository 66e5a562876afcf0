// The dashboard as a person uses it: a real browser against the real system. All pages on one cluster, in one browser.

import { describe } from 'vitest';
import { accountPage } from './dashboard/account.ts';
import { adminPage } from './dashboard/admin.ts';
import { filesPage } from './dashboard/files.ts';
import { firstSteps } from './dashboard/first-steps.ts';
import { overviewPage } from './dashboard/overview.ts';
import { queuePage } from './dashboard/queue.ts';
import { shell } from './dashboard/shell.ts';
import { signIns } from './dashboard/sign-ins.ts';
import { submitPage } from './dashboard/submit.ts';
import { taskPage } from './dashboard/task.ts';
import { taskOutput } from './dashboard/task-log.ts';
import { tasksPage } from './dashboard/tasks.ts';
import { walk } from './dashboard/walk.ts';
import { workersPages } from './dashboard/workers.ts';

describe('the dashboard', () => {
  walk({
    'first steps': firstSteps,
    shell,
    overview: overviewPage,
    queue: queuePage,
    workers: workersPages,
    files: filesPage,
    submit: submitPage,
    tasks: tasksPage,
    'a task': taskPage,
    'output of a task': taskOutput,
    account: accountPage,
    users: adminPage,
    'sign-ins and rights': signIns,
  });
});
