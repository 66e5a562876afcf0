// A call over gRPC as no library makes it, by HTTP/2 itself: it never sends its request, nor does it keep to its own deadline.

import { connect, type IncomingHttpHeaders } from 'node:http2';
import { onTestFinished } from 'vitest';
import type { Person } from '../harness.ts';

/** The headers that it ends with, as of any call without an answer. */
export function callWithoutRequest(
  port: number | null,
  name: string,
  as: Person,
  headers: Readonly<Record<string, string>> = {},
): Promise<IncomingHttpHeaders> {
  const session = connect(`http://127.0.0.1:${port}`);
  onTestFinished(() => session.destroy());
  return new Promise((done, fail) => {
    const stream = session.request({
      ':method': 'POST',
      ':path': `/cloudai.v1.CloudAI/${name}`,
      'content-type': 'application/grpc',
      te: 'trailers',
      authorization: `Bearer ${as.token}`,
      ...headers,
    });
    stream.once('response', done);
    stream.once('close', () => fail(new Error(`${name} ended without an answer`)));
    for (const one of [stream, session]) one.on('error', fail);
  });
}
