// What the overview is made of.

import { BriefTasks } from '../../elements/brief-tasks.ts';
import type { Elements } from '../../elements/define.ts';
import { HistoryPlots } from '../../elements/history-plots.ts';
import { SchedulerRules } from '../../elements/scheduler-rules.ts';
import { TimePlot } from '../../elements/time-plot.ts';
import { FirstSteps } from './first-steps.ts';
import { HeadlineFigures } from './headline-figures.ts';
import { OverviewPage } from './overview-page.ts';
import { StateCounts } from './state-counts.ts';
import { WorkerGrid } from './worker-grid.ts';

export const elements: Elements = {
  'time-plot': TimePlot,
  'history-plots': HistoryPlots,
  'brief-tasks': BriefTasks,
  'scheduler-rules': SchedulerRules,
  'state-counts': StateCounts,
  'headline-figures': HeadlineFigures,
  'first-steps': FirstSteps,
  'worker-grid': WorkerGrid,
  'overview-page': OverviewPage,
};
