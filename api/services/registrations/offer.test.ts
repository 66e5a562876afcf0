import { describe, expect, it } from 'vitest';
import { AppError } from '../../../shared/errors.ts';
import { type OfferConfig, requireOffer, settingsFor } from './offer.ts';

const far = { host: '192.168.1.102', port: 50_052 };
const near = { host: '127.0.0.1', port: 50_052 };
const fit: OfferConfig = {
  storeUrl: 'mongodb://cloudai:pw@db1.example:27017,db2.example/cloudai?w=1',
  redisUrl: 'redis://:pw@redis.example:6379',
  redisPrefix: 'cloudai',
  filesUrl: 'mongodb',
  workerLeaseSeconds: 15,
  clusterToken: 'x'.repeat(32),
  runnerStoreUrl: null,
  runnerRedisUrl: null,
  runnerFilesUrl: null,
};
const alone: Partial<OfferConfig> = {
  storeUrl: 'sqlite:data/cloudai.db',
  redisUrl: 'redis://127.0.0.1:6379',
  filesUrl: 'file:data/files',
};

function fieldsOf(over: Partial<OfferConfig>, address = far): string[] {
  try {
    requireOffer({ ...fit, ...over }, address);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    expect(error).toMatchObject({ code: 'conflict' });
    expect(error.message).not.toContain('pw');
    return error.details.map(({ field }) => field);
  }
  return ['none'];
}

describe('a runner elsewhere', () => {
  it.each<[Partial<OfferConfig>, string]>([
    [{}, 'none'],
    [{ storeUrl: 'mongodb+srv://db.example/x' }, 'none'],
    [{ storeUrl: 'mongodb://127.0.0.1,db2/x' }, 'none'],
    [{ storeUrl: 'sqlite:/data/x.db' }, 'STORE_URL'],
    [{ storeUrl: 'sqlite:/data/x.db', runnerStoreUrl: 'sqlite:/mnt/x.db' }, 'STORE_URL'],
    [{ storeUrl: 'mongodb://u:pw@localhost:27017/x' }, 'RUNNER_STORE_URL'],
    [{ storeUrl: 'mongodb://[::1]:27017,127.0.0.1' }, 'RUNNER_STORE_URL'],
    [{ storeUrl: 'mongodb://localhost/x', runnerStoreUrl: 'mongodb://db/x' }, 'none'],
    [{ redisUrl: 'redis://:pw@localhost' }, 'RUNNER_REDIS_URL'],
    [{ redisUrl: 'redis://[::1]:6379' }, 'RUNNER_REDIS_URL'],
    [{ redisUrl: 'unix:///run/redis.sock' }, 'RUNNER_REDIS_URL'],
    [{ redisUrl: 'redis://localhost', runnerRedisUrl: 'rediss://redis.example' }, 'none'],
    [{ filesUrl: 'file:/data/files' }, 'RUNNER_FILES_URL'],
    [{ filesUrl: 'file:/data/files', runnerFilesUrl: 'file:/mnt/files' }, 'none'],
  ])('of %j is refused for %s', (over, field) => {
    expect(fieldsOf(over)).toEqual([field]);
  });

  it('hears of all that is in its way at once', () => {
    expect(fieldsOf(alone)).toEqual(['STORE_URL', 'RUNNER_REDIS_URL', 'RUNNER_FILES_URL']);
    expect(fieldsOf({ ...alone, clusterToken: null })).toEqual([]);
  });
});

describe('a runner on this machine', () => {
  it('may work on what is kept here, but not without a token', () => {
    expect(fieldsOf(alone, near)).toEqual(['none']);
    expect(fieldsOf(alone, { host: 'localhost', port: 1 })).toEqual(['none']);
    expect(fieldsOf({ ...alone, clusterToken: null }, near)).toEqual([]);
  });

  it('gets paths that hold in any folder', () => {
    expect(settingsFor({ ...fit, ...alone }, 'worker-3', { host: '::1', port: 1 })).toEqual({
      STORE_URL: `sqlite:${process.cwd()}/data/cloudai.db`,
      REDIS_URL: 'redis://127.0.0.1:6379',
      REDIS_PREFIX: 'cloudai',
      FILES_URL: `file:${process.cwd()}/data/files`,
      WORKER_LEASE_SECONDS: 15,
      WORKER_ID: 'worker-3',
      WORKER_ADDRESS: '::1',
    });
    expect(settingsFor(fit, 'w', far)).toMatchObject({ STORE_URL: fit.storeUrl, FILES_URL: 'mongodb' });
  });
});
