// The engine's multiplexed output: frames of an 8-byte header (stream, three zero bytes, length as big-endian
// uint32) and a payload. Parsed in a loop over any chunking; never recursive, never holds a payload back.

import { AppError } from '../../errors.ts';
import type { LogStream } from '../../model/log-line.ts';

const HEADER_BYTES = 8;

export interface Piece {
  readonly stream: LogStream;
  readonly chunk: Buffer;
}

export interface FrameParser {
  /**
   * The payloads in `chunk`, in order; neighbours of one stream come as one piece. A frame that is cut by the end of
   * the chunk gives what is there. Throws AppError `runtime_unavailable` when the bytes are no frames.
   */
  push(chunk: Buffer): Piece[];
  /** True between two frames: an end anywhere else means that the connection broke. */
  atBoundary(): boolean;
}

export function createFrameParser(): FrameParser {
  const header = Buffer.alloc(HEADER_BYTES);
  let headerFill = 0;
  let stream: LogStream = 'stdout';
  let payloadLeft = 0;

  return {
    push(chunk) {
      const runs: { stream: LogStream; parts: Buffer[] }[] = [];
      let at = 0;
      while (at < chunk.length) {
        if (payloadLeft > 0) {
          const part = chunk.subarray(at, at + payloadLeft);
          at += part.length;
          payloadLeft -= part.length;
          const last = runs[runs.length - 1];
          if (last?.stream === stream) last.parts.push(part);
          else runs.push({ stream, parts: [part] });
          continue;
        }
        const taken = chunk.copy(header, headerFill, at, at + HEADER_BYTES - headerFill);
        at += taken;
        headerFill += taken;
        if (headerFill < HEADER_BYTES) break;
        headerFill = 0;
        stream = streamOf(header);
        payloadLeft = header.readUInt32BE(4);
      }
      return runs.map(({ stream: of, parts }) => ({
        stream: of,
        chunk: parts.length === 1 && parts[0] ? parts[0] : Buffer.concat(parts),
      }));
    },
    atBoundary: () => payloadLeft === 0 && headerFill === 0,
  };
}

function streamOf(header: Buffer): LogStream {
  const [kind, ...zeros] = header.subarray(0, 4);
  if (zeros.every((zero) => zero === 0)) {
    if (kind === 1) return 'stdout';
    if (kind === 2) return 'stderr';
  }
  throw new AppError(
    'runtime_unavailable',
    `the container engine sent output that is not framed (header ${header.toString('hex')})`,
    { retryable: true },
  );
}
