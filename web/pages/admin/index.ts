// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { EndSignIns } from '../../elements/end-sign-ins.ts';
import { QuotaBars } from '../../elements/quota-bars.ts';
import { AdminPage } from './admin-page.ts';
import { UserDialog } from './user-dialog.ts';
import { UserTable } from './user-table.ts';

export const elements: Elements = {
  'end-sign-ins': EndSignIns,
  'quota-bars': QuotaBars,
  'user-table': UserTable,
  'user-dialog': UserDialog,
  'admin-page': AdminPage,
};
