// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { QueuePage } from './queue-page.ts';
import { QueueTable } from './queue-table.ts';

export const elements: Elements = { 'queue-table': QueueTable, 'queue-page': QueuePage };
