// The dashboard's pages about tasks, as a person uses them: a real browser against the real system.

import { describe } from 'vitest';
import { submitPage } from './dashboard/submit.ts';
import { taskPage } from './dashboard/task.ts';
import { taskOutput } from './dashboard/task-log.ts';
import { tasksPage } from './dashboard/tasks.ts';
import { walk } from './dashboard/walk.ts';

describe('the dashboard', () => {
  walk({
    tasks: tasksPage,
    'a task': taskPage,
    submit: submitPage,
    'output of a task': taskOutput,
  });
});
