// Says at once when the API could not listen, by whom its port is held, and which one to take instead.

import { AppError } from '../../shared/errors.ts';
import { nextFreePort, portOwner, portState } from './ports.ts';

const FREE = { PORT: 8_080, GRPC_PORT: 50_051 } as const;

/** @throws {AppError} `conflict` */
export async function checkPort(
  port: number,
  host: string,
  setting: keyof typeof FREE = 'PORT',
): Promise<void> {
  const state = await portState(port, host);
  if (state === 'free') return;
  if (state === 'forbidden') {
    throw new AppError(
      'conflict',
      `port ${port} is kept for root on this machine. Choose one above 1023: ${setting}=${FREE[setting]} npm start`,
    );
  }
  const owner = await portOwner(port);
  const other = await nextFreePort(port + 1, host);
  throw new AppError(
    'conflict',
    `port ${port} is taken${owner ? ` by ${owner.command} (process ${owner.pid})` : ''}.\n` +
      `  Choose another: ${setting}=${other ?? 9_090} npm start`,
  );
}
