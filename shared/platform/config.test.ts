import { describe, expect, it } from 'vitest';
import { AppError } from '../errors.ts';
import { loadApiConfig, loadRunnerConfig, loadSchedulerConfig } from './config.ts';

const secret = 'x'.repeat(32);

describe('settings', () => {
  it('have defaults for everything but the secret', () => {
    expect(loadApiConfig({ JWT_SECRET: secret, DATA_DIR: '/tmp/d' })).toMatchObject({
      port: 8080,
      storeUrl: 'sqlite:/tmp/d/cloudai.db',
      filesUrl: 'file:/tmp/d/files',
      registration: 'open',
      observeAuth: 'open',
    });
    expect(loadSchedulerConfig({}).workerLeaseSeconds).toBe(15);
    expect(loadRunnerConfig({}).workerId).toMatch(/^worker-/);
  });

  it('keep files beside the records when the store is MongoDB', () => {
    expect(loadSchedulerConfig({ STORE_URL: 'mongodb://db/cloudai' }).filesUrl).toBe('mongodb');
  });

  it('report every fault at once', () => {
    const faults = faultsOf(() =>
      loadApiConfig({ PORT: 'eighty', STORE_URL: 'mysql://x', LOG_LEVEL: 'loud' }),
    );
    expect(faults).toEqual(['JWT_SECRET', 'LOG_LEVEL', 'PORT', 'STORE_URL']);
  });

  it('refuse a short secret', () => {
    expect(() => loadApiConfig({ JWT_SECRET: 'short' })).toThrow(/JWT_SECRET must be at least 32 characters/);
  });

  it('take an empty variable as not set', () => {
    expect(loadApiConfig({ JWT_SECRET: secret, PORT: '' }).port).toBe(8080);
  });

  it('read labels and name a broken one', () => {
    expect(loadRunnerConfig({ WORKER_LABELS: 'disk=ssd,zone=a' }).labels).toEqual({ disk: 'ssd', zone: 'a' });
    expect(faultsOf(() => loadRunnerConfig({ WORKER_LABELS: 'disk' }))).toEqual(['WORKER_LABELS']);
  });
});

function faultsOf(load: () => unknown): string[] {
  try {
    load();
  } catch (error) {
    if (error instanceof AppError && error.code === 'bad_config')
      return error.details.map((d) => d.field).sort();
    throw error;
  }
  return [];
}
