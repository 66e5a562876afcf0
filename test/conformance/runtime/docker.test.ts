import { openDockerRuntime } from '../../../shared/adapters/docker/open.ts';
import { silentLog } from '../../../shared/platform/log.ts';
import { shell } from './dialects.ts';
import { runtimeSuite } from './runtime-suite.ts';

// Few slots: what finds none free gets the plain network, so that both ways are taken.
const open = (workerId: string) =>
  openDockerRuntime({ dockerHost: '', log: silentLog(), networkSlots: 3, workerId });

runtimeSuite(
  'docker',
  async (workerId) => {
    const runtime = await open(workerId);
    return { runtime, reopen: () => open(workerId), dispose: () => runtime.close() };
  },
  { dialect: shell, images: true, memory: true, binaryReplay: true, readOnlyInput: true },
);
