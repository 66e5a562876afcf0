import { createServer, type Server } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { checkPort } from './port-check.ts';
import { answersOn, freePort, nextFreePort, portOwner, portState } from './ports.ts';

let server: Server | null = null;
afterEach(async () => {
  await new Promise((done) => (server ? server.close(done) : done(null)));
  server = null;
});

async function listen(): Promise<number> {
  const port = await freePort();
  server = createServer();
  await new Promise<void>((done) => server?.listen(port, '127.0.0.1', done));
  return port;
}

describe('a port', () => {
  it('that is free can be listened on', async () => {
    const port = await freePort();
    expect(await portState(port)).toBe('free');
    expect(await answersOn(port)).toBe(false);
    await checkPort(port, '127.0.0.1');
  });

  it('that is taken is seen, also from all addresses', async () => {
    const port = await listen();
    expect(await portState(port)).toBe('taken');
    expect(await portState(port, '0.0.0.0')).toBe('taken');
    expect(await answersOn(port)).toBe(true);
    expect(await nextFreePort(port)).toBeGreaterThan(port);
  });

  it('that is taken is refused with its owner and another to choose', async () => {
    const port = await listen();
    const owner = await portOwner(port);
    expect(owner).toMatchObject({ pid: process.pid });
    await expect(checkPort(port, '0.0.0.0')).rejects.toMatchObject({
      code: 'conflict',
      message: expect.stringMatching(
        new RegExp(`port ${port} is taken by .+ \\(process ${process.pid}\\)[\\s\\S]*PORT=\\d+ npm start`),
      ),
    });
  });

  it('that is taken is refused with the setting that chooses another', async () => {
    await expect(checkPort(await listen(), '0.0.0.0', 'GRPC_PORT')).rejects.toMatchObject({
      message: expect.stringMatching(/Choose another: GRPC_PORT=\d+ npm start/),
    });
  });

  it('that nobody holds has no owner', async () => {
    expect(await portOwner(await freePort())).toBeNull();
  });
});
