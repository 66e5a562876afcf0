// In which order the heads of the lines are tried. Pure. The order is total, so it does not matter in which the lines
// are given.
//
// 1. Effective priority = priority + floor(passed over / ageingMs), the higher first. A head is passed over since it was
//    queued, its back-off ended or one of its line was placed, whichever came last: a long line does not age while it is
//    served. Nobody is passed over for ever: after (10 − priority) × ageingMs a head goes before every head of a line that
//    was served a moment ago. Source: ageing, A. Silberschatz, P. B. Galvin, G. Gagne, "Operating System Concepts", ch. 5.
// 2. A head whose slack is in [0, expected / 2] goes before others, the smallest slack first. Slack = deadline − now −
//    expected: it meets its deadline if it starts about now. What has missed it already has no claim, since a queue that
//    runs after lost deadlines loses the next ones too. Source: least laxity first, A. K. Mok, "Fundamental Design Problems
//    of Distributed Systems for the Hard-Real-Time Environment", 1983; the overload argument of C. D. Locke, "Best-Effort
//    Decision Making for Real-Time Scheduling", 1986.
// 3. The owner with the smallest dominant share (fair-share.ts); then the turn within lines (backlog.ts); then the id.

import type { PlanRules } from '../../shared/model/scheduling.ts';
import type { FairShare } from './fair-share.ts';
import { Heap } from './heap.ts';
import type { Group, GroupEntry } from './snapshot.ts';

/** Part of the expected run time. */
const URGENT_SLACK = 0.5;

/** How far a line has come in a pass. */
export interface Cursor {
  readonly group: Group;
  readonly entries: Iterator<GroupEntry>;
  head: GroupEntry;
  /** One of the line was placed in this pass. */
  served: boolean;
  position: number;
}

/** Milliseconds for which a head has been passed over. */
export function passedOverMs(group: Group, head: GroupEntry, now: number): number {
  return Math.max(0, now - Math.max(head.queuedAt, head.notBefore, group.servedAt));
}

export function effectivePriority(priority: number, passedMs: number, ageingMs: number): number {
  return priority + Math.floor(passedMs / ageingMs);
}

function slackMs(head: Pick<GroupEntry, 'deadline' | 'expectedMs'>, now: number): number {
  return head.deadline - now - head.expectedMs;
}

function isUrgent(head: Pick<GroupEntry, 'deadline' | 'expectedMs'>, now: number): boolean {
  const slack = slackMs(head, now);
  return slack >= 0 && slack <= URGENT_SLACK * head.expectedMs;
}

/** The lines of one owner at one level. */
interface OwnerLine {
  readonly ownerId: string;
  readonly cursors: Heap<Cursor>;
  share: number;
  position: number;
}

interface Level {
  readonly priority: number;
  /** By slack. */
  readonly urgent: Heap<Cursor>;
  readonly owners: Map<string, OwnerLine>;
  readonly order: Heap<OwnerLine>;
  position: number;
}

/** Gives out cursors in the order of their heads. */
export class Heads {
  readonly #shares: FairShare;
  readonly #rules: PlanRules;
  readonly #now: number;
  readonly #levels = new Map<number, Level>();
  readonly #order = new Heap<Level>((a, b) => a.priority > b.priority);

  constructor(shares: FairShare, rules: PlanRules, now: number) {
    this.#shares = shares;
    this.#rules = rules;
    this.#now = now;
  }

  push(cursor: Cursor): void {
    const { group, head, served } = cursor;
    const passed = served ? 0 : passedOverMs(group, head, this.#now);
    const level = this.#level(effectivePriority(group.priority, passed, this.#rules.ageingMs));
    if (isUrgent(head, this.#now)) level.urgent.push(cursor);
    else this.#stand(level, cursor);
  }

  /** Takes the next one out; undefined when all are. */
  pop(): Cursor | undefined {
    for (let level = this.#order.peek(); level; level = this.#order.peek()) {
      const urgent = level.urgent.pop();
      if (urgent) return urgent;
      const line = level.order.pop();
      if (!line) {
        this.#order.remove(level);
        this.#levels.delete(level.priority);
        continue;
      }
      const share = this.#shares.shareOf(line.ownerId);
      if (share > line.share) {
        // Something of theirs was placed out of turn.
        line.share = share;
        level.order.push(line);
        continue;
      }
      const cursor = line.cursors.pop();
      if (line.cursors.size > 0) level.order.push(line);
      else level.owners.delete(line.ownerId);
      return cursor;
    }
    return undefined;
  }

  #stand(level: Level, cursor: Cursor): void {
    const { ownerId } = cursor.group;
    const known = level.owners.get(ownerId);
    // Its place follows from its first cursor, which may become another one.
    if (known) level.order.remove(known);
    const line: OwnerLine = known ?? { ownerId, cursors: new Heap(byTurn), share: 0, position: -1 };
    line.cursors.push(cursor);
    line.share = this.#shares.shareOf(ownerId);
    level.owners.set(ownerId, line);
    level.order.push(line);
  }

  #level(priority: number): Level {
    const known = this.#levels.get(priority);
    if (known) return known;
    const level: Level = {
      priority,
      urgent: new Heap((a, b) => bySlack(a, b, this.#now)),
      owners: new Map(),
      order: new Heap(byShare),
      position: -1,
    };
    this.#levels.set(priority, level);
    this.#order.push(level);
    return level;
  }
}

function byTurn(a: Cursor, b: Cursor): boolean {
  return a.head.turn === b.head.turn ? a.head.id < b.head.id : a.head.turn < b.head.turn;
}

function bySlack(a: Cursor, b: Cursor, now: number): boolean {
  const [mine, other] = [slackMs(a.head, now), slackMs(b.head, now)];
  return mine === other ? a.head.id < b.head.id : mine < other;
}

function byShare(a: OwnerLine, b: OwnerLine): boolean {
  if (a.share !== b.share) return a.share < b.share;
  return byTurn(a.cursors.peek() as Cursor, b.cursors.peek() as Cursor);
}
