import { describe, expect, it } from 'vitest';
import { BY_ITSELF, judgeEnd } from './engine-lives.ts';
import type { Sight } from './exits.ts';

const engineStartedAt = 1_000_000;
const end = (exitCode: number, over: object = {}) => ({
  exitCode,
  startedAt: 500_000,
  finishedAt: 999_000,
  bootId: 'boot-1',
  sight: 'followed' as Sight,
  ...over,
});
const judge = (
  of: ReturnType<typeof end>,
  bootId: string | null = 'boot-1',
  at: number | null = engineStartedAt,
) => judgeEnd(of, at, bootId).cutBy;
const OWN_CODES = [0, 1, 143];

describe('who ended a container that an earlier life of the engine had started', () => {
  it('the engine, with the codes that only it can have caused', () => {
    for (const code of [137, 255]) expect(judge(end(code))).toBe('engine');
    for (const code of OWN_CODES) expect(judge(end(code))).toBeNull();
  });

  it('the engine, with any code, when the connection broke while it ran: what it printed without an engine is lost', () => {
    for (const code of OWN_CODES) {
      expect(judge(end(code, { sight: 'broken' }))).toBe('engine');
      // It lived on under the next life of the engine, which kept what it printed; or the break was another's.
      expect(judge(end(code, { sight: 'broken', finishedAt: 1_000_001 }))).toBeNull();
      expect(judge(end(code, { sight: 'broken', startedAt: 1_000_001, finishedAt: 1_000_500 }))).toBeNull();
    }
  });

  it('itself, with a doubt about its output, when nobody was there to see', () => {
    for (const code of OWN_CODES) {
      const unseen = end(code, { sight: 'none' });
      expect(judgeEnd(unseen, engineStartedAt, 'boot-1')).toEqual({ cutBy: null, outputInDoubt: true });
      expect(judgeEnd({ ...unseen, finishedAt: 1_000_001 }, engineStartedAt, 'boot-1')).toEqual(BY_ITSELF);
      expect(judgeEnd(unseen, null, 'boot-1')).toEqual(BY_ITSELF);
    }
  });

  it('the engine or nobody, in the same way, when the engine died before it noted the start', () => {
    const unnoted = { startedAt: null, finishedAt: 1_000_001 };
    expect(judge(end(137, unnoted))).toBe('engine');
    for (const code of OWN_CODES) {
      expect(judge(end(code, { ...unnoted, sight: 'broken' }))).toBe('engine');
      const unseen = end(code, { ...unnoted, sight: 'none' });
      expect(judgeEnd(unseen, engineStartedAt, 'boot-1')).toEqual({ cutBy: null, outputInDoubt: true });
    }
  });

  it('its machine, when that runs anew since', () => {
    expect(judge(end(255), 'boot-2')).toBe('machine');
    expect(judge(end(137), 'boot-2')).toBe('machine');
    expect(judge(end(255, { finishedAt: null }), 'boot-2')).toBe('machine');
    expect(judge(end(0), 'boot-2')).toBeNull();
    // Another machine, or a container of an earlier release.
    expect(judge(end(255), null)).toBe('engine');
    expect(judge(end(255, { bootId: null }), 'boot-2')).toBe('engine');
  });

  it('itself, when this life of the engine started it, or it lived on under it', () => {
    expect(judge(end(137, { startedAt: 1_000_001, finishedAt: 1_000_500 }))).toBeNull();
    expect(judge(end(255, { startedAt: 1_000_001 }), 'boot-2')).toBeNull();
    expect(judge(end(137, { finishedAt: 1_060_000 }))).toBeNull();
    expect(judge(end(137), 'boot-1', null)).toBeNull();
  });
});
