// By which rules the cluster places, and what its leader tells of itself. Types and defaults; the rules themselves are
// in scheduler/core. Pure.

import type { ClusterCounts, SlaStanding } from './cluster-counts.ts';

export const POLICIES = ['round-robin', 'best-fit', 'spread'] as const;
/**
 * Which of the workers where a task fits gets it. `round-robin`: the next in turn. `best-fit`: the fullest.
 * `spread`: the emptiest.
 */
export type PolicyName = (typeof POLICIES)[number];

export interface PlanRules {
  readonly policy: PolicyName;
  /** Waiting at the head of its line for so long counts as one priority more. */
  readonly ageingMs: number;
  /** A task that waits at the head of its line for longer, and would fit an empty worker, gets one reserved. */
  readonly reserveAfterMs: number;
  /** Whether a task may take the place of running ones of lower priority. */
  readonly preemption: boolean;
}

export const DEFAULT_RULES: PlanRules = {
  policy: 'round-robin',
  ageingMs: 600_000,
  reserveAfterMs: 60_000,
  preemption: false,
};

/** A worker kept free for the head of a line that has waited too long. */
export interface Reservation {
  readonly workerId: string;
  /** Of the line (see `groupKey`). */
  readonly groupKey: string;
  readonly taskId: string;
  /** When it was made. */
  readonly since: number;
  /** From then on it keeps nobody out any more: another worker is tried, or after a pause the same for longer. */
  readonly until: number;
  /** Workers that were kept for the line before and did not drain in time. */
  readonly tried: readonly string[];
}

/** What the leading scheduler tells of itself. */
export interface SchedulerReport {
  /** By the clock of the leader. */
  readonly at: number;
  readonly term: number;
  readonly rules: PlanRules;
  /** The workers that were given a task last, the newest at the end; the rotation goes on from there. */
  readonly recent: readonly string[];
  readonly reservations: readonly Reservation[];
  /** When lines that wait were served last, by their key: those that were served last of all. */
  readonly served: readonly (readonly [groupKey: string, at: number])[];
  /** Waiting tasks and lines of alike ones that it knows. */
  readonly waiting: number;
  readonly lines: number;
  /** In this term. */
  readonly placed: number;
  readonly preempted: number;
  /** Absent with a leader of an earlier release. */
  readonly counts?: ClusterCounts;
  readonly standing?: SlaStanding | null;
}
