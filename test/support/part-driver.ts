// A program that starts one process of a cluster, as a test does, says its pid and stays until it is killed.
// Arguments: the data folder and the prefix in Redis.

import { join } from 'node:path';
import { Part } from './cluster.ts';
import { redisUrl } from './servers.ts';

const [dataDir = '', prefix = ''] = process.argv.slice(2);
const env = { DATA_DIR: dataDir, REDIS_URL: redisUrl, REDIS_PREFIX: prefix };
const part = new Part('scheduler', env, join(dataDir, 'scheduler.log'));
part.start();
process.stdout.write(`${part.pid}\n`);
setInterval(() => undefined, 60_000);
