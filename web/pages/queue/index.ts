// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { QueuePage } from './queue-page.ts';

export const elements: Elements = { 'queue-page': QueuePage };
