import { describe, expect, it } from 'vitest';
import type { Clock, TimeSource } from '../ports/clock.ts';
import { openClusterClock, type RunningClock } from './cluster-clock.ts';
import { createLog, type Log, silentLog } from './log.ts';

const HOUR = 3_600_000;
const EPOCH = 1_700_000_000_000;

/** A world whose time stands still unless it is moved, and a machine in it whose clock may be off. */
class World implements TimeSource {
  at = 0;
  /** By how much the machine's clock is ahead. */
  offMs = 0;
  isAway = false;
  /** How long the next questions are on their way, there and back. */
  ways: readonly (readonly [number, number])[] = [];
  asked = 0;
  readonly own: Clock = { now: () => EPOCH + this.at + this.offMs, monotonic: () => this.at + 17 };

  get true(): number {
    return EPOCH + this.at;
  }

  async read(): Promise<number> {
    if (this.isAway) throw new Error('away');
    const [there, back] = this.ways[this.asked] ?? [0, 0];
    this.asked += 1;
    this.at += there;
    const answer = this.true;
    this.at += back;
    return answer;
  }
}

async function open(world: World, log: Log = silentLog()): Promise<RunningClock> {
  const clock = await openClusterClock({ source: world, own: world.own, log });
  clock.stop();
  return clock;
}

describe("the cluster's clock", () => {
  it.each([HOUR, -HOUR, 0])('is right on a machine whose own is %i ms off', async (offMs) => {
    const world = new World();
    world.offMs = offMs;
    const clock = await open(world);
    expect(clock.now()).toBe(world.true);
    expect(clock.offsetMs()).toBe(offMs);
    world.at += 5 * HOUR;
    expect(clock.now()).toBe(world.true);
  });

  it("does not follow the machine's own clock when that is set", async () => {
    const world = new World();
    const clock = await open(world);
    world.offMs = HOUR;
    expect(clock.now()).toBe(world.true);
    expect(clock.offsetMs()).toBe(HOUR);
  });

  it('believes the quickest answer', async () => {
    const world = new World();
    world.ways = [
      [900, 0],
      [2, 2],
      [0, 700],
      [3, 9],
    ];
    const clock = await open(world);
    expect(clock.now()).toBe(world.true);
  });

  it("is the machine's own before it was measured, and keeps the last measurement after", async () => {
    const world = new World();
    world.offMs = HOUR;
    world.isAway = true;
    const clock = await open(world);
    expect(clock.now()).toBe(world.true + HOUR);
    expect(clock.offsetMs()).toBeNull();
    world.isAway = false;
    expect(await clock.measure()).toBe(true);
    expect(clock.now()).toBe(world.true);
    world.isAway = true;
    expect(await clock.measure()).toBe(false);
    world.at += HOUR;
    expect(clock.now()).toBe(world.true);
  });

  it('does not go back for a small correction, and follows a large one', async () => {
    const world = new World();
    const clock = await open(world);
    let aheadMs = 0;
    const read = world.read.bind(world);
    world.read = async () => (await read()) + aheadMs;
    aheadMs = -300;
    const before = clock.now();
    await clock.measure();
    expect(clock.now()).toBe(before);
    world.at += 200;
    expect(clock.now()).toBe(before);
    world.at += 200;
    expect(clock.now()).toBe(world.true - 300);
    aheadMs = -HOUR;
    await clock.measure();
    expect(clock.now()).toBe(world.true - HOUR);
  });

  it('says once when the machine is off, and when it is right again', async () => {
    const said: string[] = [];
    const log = createLog('test', 'silent');
    const note = (_: object, words: string) => said.push(words);
    Object.assign(log, { warn: note, info: note });
    const world = new World();
    world.offMs = -HOUR;
    const clock = await open(world, log);
    await clock.measure();
    world.offMs = 20;
    await clock.measure();
    expect(said).toEqual([
      expect.stringContaining('the clock of this machine is 3600 s behind'),
      'the clock of this machine is right again',
    ]);
  });
});
