// An API to which machines are added by hand, and a runner that plays one, for each test of a file.

import { afterAll, afterEach, beforeEach } from 'vitest';
import type { RegistrationPace } from '../../api/services/registrations/registrations.ts';
import type { ClusterSettings } from '../../shared/contracts/adoption.ts';
import type { WorkerBody, WorkerListReply } from '../../shared/contracts/workers.ts';
import { type PlayedRunner, type PlayedRunnerOptions, playRunner } from '../support/played-runner.ts';
import { makeRegistration } from '../support/tasks.ts';
import { waitFor } from '../support/wait-for.ts';
import { openTestApi, type Person, type Refused, type TestApi } from './harness.ts';

export const TOKEN = 'a-token-of-the-cluster-'.repeat(2);
/** Looks often and tries again at once; a slow answer is long in coming for a test, not for a machine under load. */
export const PACE: Partial<RegistrationPace> = { pollMs: 20, pauseMs: () => 30 };

export type Reply = WorkerBody & Refused;

/** One API serves all tests of the file that ask for no other. */
export function registrationStage() {
  let shared: { test: TestApi; admin: Person } | null = null;
  let test: TestApi;
  let admin: Person;
  let runner: PlayedRunner | null = null;

  /** An API with settings or a pace of its own, for this test. */
  const open = async (env: Record<string, string> = {}, pace: Partial<RegistrationPace> = {}) => {
    test = await openTestApi({
      env: { CLUSTER_TOKEN: TOKEN, ...env },
      parts: () => ({ registrationPace: { ...PACE, ...pace } }),
    });
    admin = await test.signUp('root');
  };
  beforeEach(async () => {
    if (!shared) {
      await open();
      shared = { test, admin };
    }
    ({ test, admin } = shared);
  });
  afterEach(async () => {
    await runner?.close();
    runner = null;
    if (test !== shared?.test) return test.close();
    const { registrations, workers } = test.store;
    for (const { id } of await registrations.list()) await registrations.remove(id);
    for (const { id } of await workers.list()) await workers.remove(id);
  });
  afterAll(() => shared?.test.close());

  const join = ({ WORKER_ID, WORKER_ADDRESS }: ClusterSettings) =>
    test.store.workers.register(makeRegistration({ id: WORKER_ID, address: WORKER_ADDRESS }));

  return {
    get test() {
      return test;
    },
    get admin() {
      return admin;
    },
    open,

    register: (address: string, id = 'worker-3', as: Person | null = admin) =>
      test.call<Reply>('POST', '/api/workers', { as, body: { id, address } }),

    listed: async () => (await test.call<WorkerListReply>('GET', '/workers')).body.workers,

    /** A waiting runner that registers as a worker once it has been taken in, unless told otherwise. */
    async startRunner(options: Partial<PlayedRunnerOptions> = {}) {
      runner = await playRunner({ token: TOKEN, onTaken: join, ...options });
      return runner;
    },

    joined: (id = 'worker-3', at = test) =>
      waitFor(
        async () => {
          const { body } = await at.call<WorkerListReply>('GET', '/workers');
          return body.workers.find((one) => one.worker_id === id && one.state === 'ready');
        },
        { what: `${id} to join` },
      ),
  };
}
