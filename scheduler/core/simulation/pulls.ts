// Which images the machines have, and when one that is being fetched will be there. Pure; time is handed in.
// Nothing is ever thrown away: a machine that has fetched an image keeps it.

export class Pulls {
  readonly #pullMs: number;
  /** By machine: image → when it is there. */
  readonly #thereAt = new Map<string, Map<string, number>>();
  readonly #having = new Map<string, string[]>();

  /** @param pullMs how long it takes; 0: nothing is fetched, and nothing known of images */
  constructor(pullMs: number) {
    this.#pullMs = pullMs;
  }

  /** For the plan: machines by image, as the scheduler hears of them once it is there. */
  get images(): ReadonlyMap<string, readonly string[]> {
    return this.#having;
  }

  /** When a task of this image that was given to the machine now can start. Several wait for one and the same fetch. */
  need(workerId: string, image: string, now: number): number {
    if (this.#pullMs === 0) return now;
    const images = this.#thereAt.get(workerId) ?? new Map<string, number>();
    this.#thereAt.set(workerId, images);
    const thereAt = images.get(image) ?? now + this.#pullMs;
    images.set(image, thereAt);
    return Math.max(now, thereAt);
  }

  /** A task of this image has started there. */
  arrived(workerId: string, image: string): void {
    const images = this.#thereAt.get(workerId);
    if (this.#pullMs === 0 || images?.get(image) === Number.NEGATIVE_INFINITY) return;
    images?.set(image, Number.NEGATIVE_INFINITY);
    const having = this.#having.get(image) ?? [];
    having.push(workerId);
    this.#having.set(image, having);
  }
}
