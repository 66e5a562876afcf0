// A process of its own for the tests: does what its first argument says on the Redis of the second.
//   hold   opens the inbox of worker `w`, tells of each delivery, and never finishes one
//   pass   uses every part once and closes; the process must then end by itself
//   absent does so with no Redis there, where every use fails

import { Server, type ServerOptions } from 'socket.io';
import { openRedis } from '../../../shared/adapters/redis/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';

const [mode, url = '', prefix = ''] = process.argv.slice(2);
const redis = await openRedis({ url, prefix, patience: 'patient', log: silentLog() });

if (mode === 'hold') {
  await redis.inbox.open('w', async ({ taskId }) => {
    process.stdout.write(`${taskId}\n`);
    await new Promise(() => undefined);
  });
} else {
  const bear = mode === 'absent' ? () => undefined : undefined;
  const use = <T>(step: Promise<T>) => (bear ? step.catch(bear) : step);
  const limiter = redis.limiter({ keyPrefix: 'login', maxFailures: 2, windowSeconds: 60 });
  await Promise.all([
    use(redis.intake.onAdded(() => undefined)),
    use(redis.intake.add([{ taskId: 'task-1', priority: 5, shape: 's' }])),
    use(redis.deliveries.deliver([{ workerId: 'v', taskId: 'task-1', attempt: 1 }])),
    use(redis.inbox.open('w', () => new Promise(() => undefined))),
    use(redis.deliveries.deliver([{ workerId: 'w', taskId: 'task-1', attempt: 1 }])),
    use(redis.lease.hold('me', 5_000)),
    use(redis.presence.present()),
    use(redis.bus.subscribe(() => undefined)),
    use(redis.bus.publish({ type: 'worker', workerId: 'w' })),
    use(limiter.fail('alice')),
    use(redis.progress.get(['task-1'])),
  ]);
  redis.rooms.emit('r', 'news', 'hello');
  const sockets = new Server({ adapter: redis.socketAdapter as ServerOptions['adapter'] });
  sockets.serverSideEmit('news', 'hello');
  await redis.close();
  process.stdout.write('closed\n');
}
