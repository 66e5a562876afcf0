// What the page is made of.

import type { Elements } from '../../elements/define.ts';
import { AuditPage } from './audit-page.ts';
import { AuditTable } from './audit-table.ts';

export const elements: Elements = {
  'audit-table': AuditTable,
  'audit-page': AuditPage,
};
