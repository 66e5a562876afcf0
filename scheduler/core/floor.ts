// The workers that may be given something in a pass, with what is free there as of this moment of the pass. Pure.

import { demandKey, type LabelDemand } from '../../shared/model/labels.ts';
import type { Resources } from '../../shared/model/resources.ts';
import { LabelClass, type LabelHolders, labelHolders, mayBeMet } from './label-class.ts';
import { Room } from './room.ts';
import type { WorkerView } from './snapshot.ts';

/** Images whose holders are looked up in one pass: what a pass may spend on breaking ties. */
const MOST_IMAGES = 64;

export class Floor {
  /** Ready workers, in order of id. */
  readonly open: readonly WorkerView[];
  readonly room: Room;
  readonly #images: ReadonlyMap<string, readonly string[]>;
  readonly #classes = new Map<string, LabelClass>();
  #labels: LabelHolders | null = null;
  /** Of all demands that no worker meets. */
  #nobody: LabelClass | null = null;
  readonly #holders = new Map<string, readonly number[]>();
  readonly #givenGpus = new Map<number, number>();
  #whole: Room | null = null;
  #indexes: ReadonlyMap<string, number> | null = null;

  constructor(workers: readonly WorkerView[], images: ReadonlyMap<string, readonly string[]>) {
    this.open = workers.filter(({ state }) => state === 'ready');
    this.room = new Room(this.open.map(({ free }) => free));
    this.#images = images;
  }

  get size(): number {
    return this.open.length;
  }

  /** What the workers have when nothing runs there. */
  get whole(): Room {
    this.#whole ??= new Room(this.open.map(({ capacity }) => capacity));
    return this.#whole;
  }

  worker(index: number): WorkerView {
    return this.open[index] as WorkerView;
  }

  indexOf(workerId: string): number | undefined {
    this.#indexes ??= new Map(this.open.map(({ id }, index) => [id, index]));
    return this.#indexes.get(workerId);
  }

  /** Null for who demands nothing. */
  classOf(labels: LabelDemand): LabelClass | null {
    const key = demandKey(labels);
    if (key === '') return null;
    const known = this.#classes.get(key);
    if (known) return known;
    this.#labels ??= labelHolders(this.open);
    // Lines that demand what nobody has are many where somebody mistyped a label.
    const made = mayBeMet(labels.constraints, this.#labels)
      ? new LabelClass(labels, this.size, this.#labels)
      : this.#hopeless();
    this.#classes.set(key, made);
    return made;
  }

  #hopeless(): LabelClass {
    this.#nobody ??= new LabelClass({ constraints: { '': [''] }, prefer: {} }, this.size, new Map());
    return this.#nobody;
  }

  /** Indexes of the workers that are known to have the image; empty when nothing is known. */
  holdersOf(image: string): readonly number[] {
    if (this.#images.size === 0) return [];
    const known = this.#holders.get(image);
    if (known) return known;
    if (this.#holders.size >= MOST_IMAGES) return [];
    const found = (this.#images.get(image) ?? []).flatMap((id) => this.indexOf(id) ?? []);
    this.#holders.set(image, found);
    return found;
  }

  /** Takes room; returns the devices, or none where it is not known who holds which. */
  take(need: Resources, index: number): readonly string[] {
    this.room.take(need, index);
    if (need.gpus === 0) return [];
    const { free, freeGpus } = this.worker(index);
    const given = this.#givenGpus.get(index) ?? 0;
    this.#givenGpus.set(index, given + need.gpus);
    return freeGpus.length === free.gpus ? freeGpus.slice(given, given + need.gpus) : [];
  }
}
