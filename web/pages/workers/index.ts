// What the pages of the workers are made of.

import { BriefTasks } from '../../elements/brief-tasks.ts';
import type { Elements } from '../../elements/define.ts';
import { HistoryPlots } from '../../elements/history-plots.ts';
import { TimePlot } from '../../elements/time-plot.ts';
import { AllocationBar } from './allocation-bar.ts';
import { AllocationTable } from './allocation-table.ts';
import { DrainDialog } from './drain-dialog.ts';
import { RegisterMachine } from './register-machine.ts';
import { WorkerActions } from './worker-actions.ts';
import { WorkerPage } from './worker-page.ts';
import { WorkerTable } from './worker-table.ts';
import { WorkerUse } from './worker-use.ts';
import { WorkersPage } from './workers-page.ts';

export const elements: Elements = {
  'time-plot': TimePlot,
  'history-plots': HistoryPlots,
  'brief-tasks': BriefTasks,
  'allocation-bar': AllocationBar,
  'allocation-table': AllocationTable,
  'worker-use': WorkerUse,
  'drain-dialog': DrainDialog,
  'worker-actions': WorkerActions,
  'worker-table': WorkerTable,
  'register-machine': RegisterMachine,
  'workers-page': WorkersPage,
  'worker-page': WorkerPage,
};
