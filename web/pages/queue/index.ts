// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { SchedulerRules } from '../../elements/scheduler-rules.ts';
import { QueuePage } from './queue-page.ts';
import { QueueTable } from './queue-table.ts';
import { WhatIfPanel } from './what-if-panel.ts';

export const elements: Elements = {
  'scheduler-rules': SchedulerRules,
  'queue-table': QueueTable,
  'what-if-panel': WhatIfPanel,
  'queue-page': QueuePage,
};
