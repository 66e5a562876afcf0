// What the list of tasks is made of.

import type { Elements } from '../../elements/define.ts';
import { TaskTable } from './task-table.ts';
import { TasksPage } from './tasks-page.ts';

export const elements: Elements = { 'task-table': TaskTable, 'tasks-page': TasksPage };
