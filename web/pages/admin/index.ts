// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { AdminPage } from './admin-page.ts';

export const elements: Elements = { 'admin-page': AdminPage };
