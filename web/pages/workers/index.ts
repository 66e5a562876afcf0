// What the pages of the workers are made of.

import type { Elements } from '../../elements/define.ts';
import { RegisterMachine } from './register-machine.ts';
import { WorkerPage } from './worker-page.ts';
import { WorkerTable } from './worker-table.ts';
import { WorkersPage } from './workers-page.ts';

export const elements: Elements = {
  'worker-table': WorkerTable,
  'register-machine': RegisterMachine,
  'workers-page': WorkersPage,
  'worker-page': WorkerPage,
};
