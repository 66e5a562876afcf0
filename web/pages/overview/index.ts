// What the overview is made of.

import type { Elements } from '../../elements/define.ts';
import { OverviewPage } from './overview-page.ts';
import { StateCounts } from './state-counts.ts';

export const elements: Elements = { 'state-counts': StateCounts, 'overview-page': OverviewPage };
