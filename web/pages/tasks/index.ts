// What the list of tasks is made of.

import type { Elements } from '../../elements/define.ts';
import { BulkBar } from './bulk-bar.ts';
import { TaskFilters } from './task-filters.ts';
import { TaskList } from './task-list.ts';
import { TasksPage } from './tasks-page.ts';

export const elements: Elements = {
  'bulk-bar': BulkBar,
  'task-filters': TaskFilters,
  'task-list': TaskList,
  'tasks-page': TasksPage,
};
