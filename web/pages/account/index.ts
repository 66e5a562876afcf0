// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { AccountPage } from './account-page.ts';

export const elements: Elements = { 'account-page': AccountPage };
