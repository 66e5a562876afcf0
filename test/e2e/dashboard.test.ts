// The dashboard as a person uses it: a real browser against the real system. What is about tasks is in
// dashboard-tasks.test.ts.

import { describe } from 'vitest';
import { accountPage } from './dashboard/account.ts';
import { adminPage } from './dashboard/admin.ts';
import { filesPage } from './dashboard/files.ts';
import { firstSteps } from './dashboard/first-steps.ts';
import { overviewPage } from './dashboard/overview.ts';
import { queuePage } from './dashboard/queue.ts';
import { shell } from './dashboard/shell.ts';
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
    account: accountPage,
    users: adminPage,
  });
});
