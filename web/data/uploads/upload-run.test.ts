import { describe, expect, it } from 'vitest';
import { ApiError, type Client, ConnectionError } from '../../../client/client.ts';
import { PIECE_BYTES } from './upload-plan.ts';
import { type RunParts, runUpload } from './upload-run.ts';

/** A cluster that keeps what it is sent, and fails where it is told to. */
function stage({ faults = [] as Error[], begun = 0 } = {}) {
  const kept: number[] = [];
  const state = {
    offset: begun,
    id: begun > 0 ? 'upload-1' : null,
    begins: 0,
    waits: [] as number[],
    sizes: [] as number[],
  };
  const file = new Blob([new Uint8Array(2 * PIECE_BYTES + 7)]);
  const client = {
    beginUpload: async () => {
      state.begins += 1;
      state.offset = 0;
      return `upload-${state.begins}`;
    },
    getUpload: async () => ({
      offset: state.offset,
      state: state.offset === file.size ? 'completed' : 'waiting',
    }),
    sendUpload: async (_id: string, offset: number, piece: Blob) => {
      const fault = faults.shift();
      if (fault) throw fault;
      if (offset !== state.offset) throw new ApiError(409, 'conflict', 'another offset');
      state.sizes.push(piece.size);
      state.offset += piece.size;
      return state.offset;
    },
  } as unknown as Client;
  const stop = new AbortController();
  const parts: RunParts = {
    client: () => client,
    file,
    path: 'a.bin',
    signal: stop.signal,
    id: state.id,
    onBegun: () => undefined,
    onOffset: (offset) => kept.push(offset),
    onWaiting: () => undefined,
    wait: async (ms) => {
      state.waits.push(ms);
    },
  };
  return { state, parts, stop, kept, file };
}

describe('an upload', () => {
  it('is sent in pieces, each where the one before ended', async () => {
    const { state, parts, file } = stage();
    await runUpload(parts);
    expect(state).toMatchObject({ offset: file.size, begins: 1, sizes: [PIECE_BYTES, PIECE_BYTES, 7] });
  });

  it('goes on where it was, after a reload and after a break', async () => {
    const cut = new ConnectionError('http://x', 'unreachable', 'cut');
    const { state, parts, file } = stage({ begun: PIECE_BYTES + 1, faults: [cut, cut] });
    await runUpload(parts);
    expect(state).toMatchObject({ offset: file.size, begins: 0, waits: [1_000, 2_000] });
    expect(state.sizes).toEqual([PIECE_BYTES, 6]);
  });

  it('begins anew when the cluster has forgotten it', async () => {
    const { state, parts, file } = stage({ faults: [new ApiError(404, 'not_found', 'gone')], begun: 5 });
    await runUpload(parts);
    expect(state).toMatchObject({ offset: file.size, begins: 1, waits: [] });
  });

  it('fails when it is refused, and ends when it is stopped', async () => {
    const refused = new ApiError(413, 'too_large', 'too large');
    await expect(runUpload(stage({ faults: [refused] }).parts)).rejects.toBe(refused);
    const { parts, stop } = stage({ faults: [new ConnectionError('http://x', 'unreachable', 'cut')] });
    const run = runUpload({ ...parts, wait: async () => stop.abort(new Error('enough')) });
    await expect(run).rejects.toThrow('enough');
  });
});
