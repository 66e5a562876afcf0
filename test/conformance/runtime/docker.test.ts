import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { shell } from './dialects.ts';
import { runtimeSuite } from './runtime-suite.ts';

const open = (workerId: string, networkSlots: number) =>
  openDockerRuntime({ dockerHost: '', log: silentLog(), networkSlots, workerId });

for (const networkSlots of [0, 3]) {
  runtimeSuite(
    `docker with ${networkSlots} network slots`,
    async (workerId) => {
      const runtime = await open(workerId, networkSlots);
      return { runtime, reopen: () => open(workerId, networkSlots), dispose: () => runtime.close() };
    },
    { dialect: shell, images: true, memory: true, binaryReplay: true, readOnlyInput: true },
  );
}
