// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { SchedulerRules } from '../../elements/scheduler-rules.ts';
import { QueuePage } from './queue-page.ts';
import { QueueTable } from './queue-table.ts';

export const elements: Elements = {
  'scheduler-rules': SchedulerRules,
  'queue-table': QueueTable,
  'queue-page': QueuePage,
};
