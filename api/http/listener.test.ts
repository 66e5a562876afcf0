import { once } from 'node:events';
import { type AddressInfo, connect } from 'node:net';
import { describe, expect, it } from 'vitest';
import { createListener, listenerBounds, openFilesLimit } from './listener.ts';

describe('bounds of a listener', () => {
  it('leave files, store and Redis their share of what the process may have open', () => {
    expect(listenerBounds(4_096)).toMatchObject({ connections: 3_072, ofOneAddress: 2_304 });
    for (const plenty of [null, 1_000_000]) {
      expect(listenerBounds(plenty)).toMatchObject({ connections: 25_000, ofOneAddress: 18_750 });
    }
    const { connections, ofOneAddress } = listenerBounds(1);
    expect(ofOneAddress).toBeLessThan(connections);
  });

  it('know how much that is here', () => {
    expect(openFilesLimit()).toBeGreaterThan(100);
  });
});

describe('a connection on which nothing is asked', () => {
  it('just ends; one that stops in the middle of a request is told why', async () => {
    const listener = createListener({ connections: 10, ofOneAddress: 10, headMs: 50, lookMs: 10 });
    // As hapi's own: whoever can still be told is told.
    listener.on('clientError', (_, socket) => {
      if (socket.writable) socket.end('HTTP/1.1 400 Bad Request\r\n\r\n');
    });
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const heard = async (said: string) => {
      const socket = connect((listener.address() as AddressInfo).port, '127.0.0.1');
      let text = '';
      socket.on('data', (chunk) => {
        text += chunk;
      });
      if (said !== '') socket.write(said);
      await once(socket, 'close');
      return text;
    };
    expect(await heard('')).toBe('');
    expect(await heard('GET / HTTP/1.1\r\nHost: a')).toContain('400');
    listener.close();
  });
});
