// The dashboard as a person uses it: a real browser against the real system. The tests of each page are in dashboard/;
// they share one cluster and one browser, as starting those takes longer than most of them.

import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type DashboardStage, openDashboardStage } from '../support/dashboard-stage.ts';
import { accountPage } from './dashboard/account.ts';
import { adminPage } from './dashboard/admin.ts';
import { filesPage } from './dashboard/files.ts';
import { firstSteps } from './dashboard/first-steps.ts';
import { overviewPage } from './dashboard/overview.ts';
import { queuePage } from './dashboard/queue.ts';
import { shell } from './dashboard/shell.ts';
import { submitPage } from './dashboard/submit.ts';
import { taskPage } from './dashboard/task.ts';
import { taskOutput } from './dashboard/task-log.ts';
import { tasksPage } from './dashboard/tasks.ts';
import { workersPages } from './dashboard/workers.ts';

let stage: DashboardStage;

beforeAll(async () => {
  stage = await openDashboardStage({ env: { CLUSTER_TOKEN: 'the-token-of-this-cluster-'.repeat(2) } });
});
afterAll(() => stage?.close());

describe('the dashboard', () => {
  describe('first steps', () => firstSteps(() => stage));
  describe('shell', () => shell(() => stage));
  describe('tasks', () => tasksPage(() => stage));
  describe('a task', () => taskPage(() => stage));
  describe('submit', () => submitPage(() => stage));
  describe('output of a task', () => taskOutput(() => stage));
  describe('overview', () => overviewPage(() => stage));
  describe('queue', () => queuePage(() => stage));
  describe('workers', () => workersPages(() => stage));
  describe('files', () => filesPage(() => stage));
  describe('account', () => accountPage(() => stage));
  describe('users', () => adminPage(() => stage));

  it('met no fault, no breach of its content policy, no request to elsewhere', () => {
    expect(stage.faults).toEqual([]);
  });
});
